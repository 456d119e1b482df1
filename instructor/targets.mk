# What instructors run; the student edition has no such file, and `make` does without it.

.PHONY: exercises release class-zip grade listening test-services services-environment

help::
	@echo "make exercises           build the students' versions of the exercises from their masters"
	@echo "make release             pack the course for students, without instructor/, into dist/"
	@echo "make class-zip           pack it with the packages it needs, for a class without a network, into dist/"
	@echo "make grade ASSIGNMENT=NN_name SUBMISSIONS=folder   grade a class; a zip file will do (guide: instructor/README.md)"
	@echo "make listening ANSWERS=folder   merge a class's answers to the listening test (CODE=... accepts one class alone)"
	@echo "make test-services       grading with real servers, as far as they are installed: PostgreSQL, Dask, JupyterHub"

exercises: test-environment
	@$(RUN) -m instructor.student_versions

release: test-environment
	@$(RUN) -m instructor.student_edition

class-zip: test-environment
	@$(RUN) -m instructor.class_zip

# without SUBMISSIONS: what `nbgrader collect` has put into instructor/submitted/
grade: test-environment
	@$(RUN) -m instructor.grading.grade_class "$(ASSIGNMENT)" $(if $(SUBMISSIONS),--submissions "$(SUBMISSIONS)") $(if $(SCHEDULER),--scheduler "$(SCHEDULER)") $(ARGS)

listening: test-environment
	@$(RUN) -m instructor.listening_answers "$(ANSWERS)" $(if $(CODE),--code "$(CODE)")

services-environment:
	@$(PYTHON) scripts/environment.py --services

test-services: services-environment
	@$(RUN) -m tests.services.run $(ARGS)
