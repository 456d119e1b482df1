# What instructors run; the student edition has no such file, and `make` does without it.

.PHONY: exercises release

help::
	@echo "make exercises           build the students' versions of the exercises from their masters"
	@echo "make release             pack the course for students, without instructor/, into dist/"

exercises: test-environment
	@$(RUN) -m instructor.masters

release: test-environment
	@$(RUN) -m instructor.release
