# The two commands of the course: `make lab` opens the lessons, `make test` tests everything.
# Kept plain: the make that comes with macOS is version 3.81.

PYTHON ?= $(shell command -v python3 || command -v python3.13 || command -v python3.12 || command -v python3.11 || command -v python || echo python3)
RUN = .venv/bin/python

.PHONY: help lab test test-quick reset progress data bench clean-notebooks doctor environment test-environment

help::
	@echo "make lab                 open the lessons in JupyterLab (options: ARGS=\"--no-browser --port 8899\")"
	@echo "make test                test everything; LESSON=03 tests one lesson"
	@echo "make test-quick          style, data, equations, models: two minutes, no notebook, no browser"
	@echo "make reset LESSON=03     restore a lesson as shipped; your version is kept beside it"
	@echo "make reset EXERCISES=03  the same for the exercises of a lesson"
	@echo "make progress            what is solved in the exercises, from your saved notebooks"
	@echo "make doctor              check this machine"
	@echo "make data                rebuild the music; MUSIC=folder builds a set from your own files"
	@echo "make bench               measure; JSB=path includes the published benchmark, if you have its file"
	@echo "make clean-notebooks     take the outputs out of the lessons"

environment:
	@$(PYTHON) scripts/environment.py

test-environment:
	@$(PYTHON) scripts/environment.py --test

lab: environment
	@$(RUN) -m musiclab.setup.lab $(ARGS)

test: test-environment
	@$(RUN) scripts/run_tests.py $(if $(LESSON),--lesson $(LESSON))

test-quick: test-environment
	@$(RUN) scripts/run_tests.py --quick

reset: environment
	@$(RUN) scripts/reset_lesson.py $(if $(EXERCISES),--exercises "$(EXERCISES)","$(LESSON)")

progress: environment
	@$(RUN) -m musiclab.checks

doctor: environment
	@$(RUN) -m musiclab.setup.doctor

data: environment
	@$(RUN) -m musiclab.data.corpora.build $(if $(MUSIC),--music "$(MUSIC)")

bench: test-environment
	@$(RUN) -m benchmarks.run
	@$(if $(JSB),$(RUN) -m benchmarks.sequence --jsb "$(JSB)",:)
	@$(RUN) -m benchmarks.energy $(if $(JSB),--jsb "$(JSB)")

clean-notebooks: test-environment
	@$(RUN) scripts/clean_notebooks.py

-include instructor/targets.mk
-include site/targets.mk
