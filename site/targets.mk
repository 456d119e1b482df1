# The website's commands, part of the Makefile.
.PHONY: site test-site

help::
	@echo "make site                build the website into build/site"
	@echo "make test-site           build it and test every page in a browser"

site: test-environment
	@$(RUN) scripts/build_site.py $(ARGS)

test-site: site
	@$(RUN) scripts/run_tests.py --site
