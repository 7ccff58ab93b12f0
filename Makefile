# Everything a user or a developer does here. `make` alone shows the list.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: help setup demo test check format tools lock clean \
	bench-exact bench-ewf bench-tools bench-pictures bench-picture-hashing bench-digests bench-walking bench-planning \
	screenshots bench-console soak-console bench-carving bench-block-sampling bench-videos bench-video-rule \
	bench-first-finding bench-scaling bench-peers bench-perceptual bench-lookup bench-vics bench-nsrl bench-robustness

help: ## show this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:[^#]*##/\t/' | expand -t 20

setup: $(READY) ## make .venv with every dependency, pinned by digest

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed: run make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(BIN)/python -c "from triage.hashsets import multi_index; multi_index.warm()"
	touch $(READY)

demo: setup ## make a synthetic exhibit and a hash set, examine it, print findings and a recommendation
	rm -rf demo
	$(BIN)/python tests/make_demo.py demo
	$(BIN)/triage hashset build demo/known --name demo-known --library demo/library
	$(BIN)/triage examine demo/exhibit.img --case demo/case --exhibit DEMO/1 --library demo/library

# Hundreds of processes start in one run: what each imports is compiled once and kept, whatever the environment says.
test: setup ## run the whole test suite, in two processes
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest --numprocesses 2 --dist worksteal

check: setup ## lint, types, and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench-pictures: setup ## time `scene` on 2,800 photographs against a script (needs root, ntfs-3g)
	$(BIN)/python benchmarks/pictures.py

bench-carving: setup ## carve pictures and videos beside foremost, scalpel and photorec (needs these three)
	$(BIN)/python benchmarks/carving.py

bench-block-sampling: setup ## sample the blocks of a 20 GB loop device, and simulate how often a sample misses (needs root)
	$(BIN)/python benchmarks/block_sampling.py

bench-videos: setup ## time the hashing of videos by key frames against a script
	$(BIN)/python benchmarks/videos.py

bench-video-rule: setup ## count which altered copies of videos are found, and how many unrelated ones
	$(BIN)/python benchmarks/video_rule.py

bench-console: setup ## time the console from key to paint beside four examinations (needs root, ntfs-3g)
	$(BIN)/python benchmarks/console.py

soak-console: setup ## watch the memory of the console over a simulated hour; fails where it grows
	$(BIN)/python benchmarks/console_hour.py

screenshots: demo ## make the pictures of the console for the README
	$(BIN)/python tests/make_screenshots.py demo/case docs/screenshots

bench-first-finding: setup ## time the first finding on devices of 10,000 to a million items (needs root, ntfs-3g, e2fsprogs)
	$(BIN)/python benchmarks/first_finding.py --large

bench-scaling: setup ## time and memory by 1, 2 and 4 workers, up to a million items (needs root, e2fsprogs)
	$(BIN)/python benchmarks/scaling.py --large

bench-planning: setup ## time from the walk to the ordered plan, a million items (needs root, e2fsprogs)
	$(BIN)/python benchmarks/planning.py

bench-tools: setup ## time `exact` beside fiwalk and hashdeep (needs root, sleuthkit, hashdeep, ntfs-3g)
	$(BIN)/python benchmarks/peers.py

bench-ewf: setup ## time `exact` on an E01 against fiwalk, and reading alone against pyewf (needs root, ewf-tools, sleuthkit, ntfs-3g)
	$(BIN)/python benchmarks/ewf.py
	$(BIN)/python benchmarks/ewf_reading.py

bench-digests: setup ## time MD5 and SHA-1 of many files at once against hashlib
	$(BIN)/python benchmarks/digests.py

bench-picture-hashing: setup ## time the hashing of one picture: first look, reduced, full, and a script
	$(BIN)/python benchmarks/picture_hashing.py

bench-walking: setup ## time the listing of names, an item at a time (needs e2fsprogs, ntfs-3g, dosfstools)
	$(BIN)/python benchmarks/walking.py

bench-exact: setup ## time `exact` against fiwalk on one NTFS image (needs root, sleuthkit, ntfs-3g)
	$(BIN)/python benchmarks/exact.py

bench-peers: setup ## install what the benchmarks compare with: faiss, ijson
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: faiss-cpu ijson

bench-perceptual: setup ## time the perceptual index against faiss, 1 M and 10 M hashes
	$(BIN)/python benchmarks/perceptual.py

bench-lookup: setup ## time look-ups among 100 M digests, and against hfind (needs sleuthkit)
	$(BIN)/python benchmarks/lookup.py

bench-vics: setup ## time the reading and the import of 1 M records of VICS JSON against a script
	$(BIN)/python benchmarks/vics.py

bench-nsrl: setup ## time the reading of 2 M rows of NSRL RDSv3 against a script
	$(BIN)/python benchmarks/nsrl.py

bench-robustness: setup ## count the altered copies that are found: make bench-robustness PHOTOS=folder
	$(BIN)/python benchmarks/robustness.py $(PHOTOS)

tools: ## install Debian's evidence tools, which some tests compare with (needs root)
	apt-get update --quiet
	apt-get install --quiet --yes --no-install-recommends $$(sed 's/#.*//' tests/tools.txt)

lock: setup ## pin the newest allowed versions again (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url \
		--no-emit-find-links --group dev --upgrade pyproject.toml --output-file requirements.lock

clean: ## remove what make made
	rm -rf .venv demo build *.egg-info
