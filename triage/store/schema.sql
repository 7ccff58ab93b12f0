-- The case: everything an examination recorded, in one SQLite file.
--
-- Digests are lower-case hexadecimal, times are ISO 8601 in UTC with nanoseconds, offsets and lengths are bytes counted
-- from the start of the source, yes and no are 1 and 0. Names that are not valid UTF-8 are written with \xNN escapes.

CREATE TABLE meta (                    -- facts about this file
  key                 TEXT PRIMARY KEY, -- schema_version, created, custody_head (digest of the last custody event)
  value               TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE exhibit (                 -- one examined device or image
  id                  INTEGER PRIMARY KEY,
  reference           TEXT NOT NULL UNIQUE, -- for example ABC/1
  source_kind         TEXT NOT NULL,    -- raw, split-raw, ewf, vmdk, device, folder, ...
  source_files        TEXT NOT NULL,    -- JSON list of paths in reading order
  size                INTEGER NOT NULL,
  sector_size         INTEGER NOT NULL,
  stored_digests      TEXT NOT NULL,    -- JSON list of [algorithm, digest] that the container claims for its content
  source_troubles     TEXT NOT NULL,    -- JSON list of facts known when the source was opened
  source_encrypted    TEXT,             -- method, where the container itself is encrypted
  identity            TEXT NOT NULL,    -- digest that a resumed examination checks the source against
  state               TEXT NOT NULL CHECK (state IN ('planned', 'walking', 'examining', 'finished', 'stopped')),
  added               TEXT NOT NULL,
  started             TEXT,
  ended               TEXT,             -- when it finished or was stopped
  seconds             REAL NOT NULL DEFAULT 0,    -- spent examining, over all runs
  bytes_read          INTEGER NOT NULL DEFAULT 0  -- read from the source, over all runs
);

CREATE TABLE plan (                    -- what was to be done, stored before the first read
  exhibit_id          INTEGER PRIMARY KEY REFERENCES exhibit (id),
  text                TEXT NOT NULL,    -- canonical JSON
  digest              TEXT NOT NULL     -- SHA-256 of the text
);

CREATE TABLE region (                  -- the regions of a source tile it: volumes, partition tables, gaps
  id                  INTEGER PRIMARY KEY,
  exhibit_id          INTEGER NOT NULL REFERENCES exhibit (id),
  offset              INTEGER NOT NULL,
  length              INTEGER NOT NULL,
  name                TEXT NOT NULL,
  scheme              TEXT NOT NULL,    -- mbr, gpt, apm, bsd, none
  description         TEXT NOT NULL,
  is_volume           INTEGER NOT NULL,
  state               TEXT,             -- read, encrypted, unsupported, ambiguous, no-file-system, empty; null: not looked at
  file_system         TEXT,             -- ntfs, fat16, ext4, ...
  text                TEXT NOT NULL DEFAULT '', -- one line for a person
  walked              INTEGER NOT NULL DEFAULT 0, -- 1 when every name was listed, 2 when the listing ended early
  UNIQUE (exhibit_id, offset, name)
);

CREATE TABLE item (                    -- one row for everything that has a name
  id                  INTEGER PRIMARY KEY,
  region_id           INTEGER NOT NULL REFERENCES region (id),
  sequence            INTEGER NOT NULL, -- position in the walk of its volume, from 0
  address             TEXT NOT NULL,    -- cites the item from the source inwards
  path                TEXT NOT NULL,    -- inside the volume
  path_bytes          BLOB,             -- the name as it is on the source, only where it is not valid UTF-8
  kind                TEXT NOT NULL,    -- file, directory, stream, link, carved, member, other
  size                INTEGER NOT NULL,
  allocated           INTEGER NOT NULL,
  recovered           INTEGER NOT NULL, -- 1: deleted content that may be that of another file by now
  encrypted           TEXT,             -- method
  unlocated           TEXT,             -- why the file system cannot say where the content lies
  reference           TEXT NOT NULL,    -- the file system's own key (a BLOB where it is not valid UTF-8)
  modified            TEXT,
  created             TEXT,
  accessed            TEXT,
  changed             TEXT,
  runs                TEXT NOT NULL,    -- where the content lies, offset+length offset+length
  md5                 TEXT,
  sha1                TEXT,
  sha256              TEXT,
  media_type          TEXT,
  pdq                 TEXT,
  pdq_quality         INTEGER,          -- 0 to 100, below 50 is not comparable
  phash               TEXT,
  picture_damaged     INTEGER,          -- 1: decoded in part
  outcome             TEXT NOT NULL DEFAULT 'not-reached', -- examined, skipped, unreadable, encrypted, timed-out, crashed
  reason              TEXT,
  UNIQUE (region_id, address)
);
CREATE INDEX item_in_order ON item (region_id, sequence);

CREATE TABLE finding (                 -- an item that matched a notable set
  id                  INTEGER PRIMARY KEY,
  item_id             INTEGER NOT NULL REFERENCES item (id),
  set_name            TEXT NOT NULL,
  set_version         TEXT NOT NULL,
  set_digest          TEXT NOT NULL,
  set_kind            TEXT NOT NULL,
  category            TEXT,
  grade               TEXT,
  match               TEXT NOT NULL,    -- md5, sha1, sha256, pdq, phash, block
  distance            INTEGER NOT NULL, -- bits, 0 for a digest
  confirmed           INTEGER,          -- null: no person has looked; 1 confirmed, 0 rejected
  found_at            TEXT NOT NULL,
  seconds             REAL NOT NULL,    -- since the examination began
  analyzer            TEXT NOT NULL,
  analyzer_version    TEXT NOT NULL
);
CREATE INDEX finding_of_item ON finding (item_id);

CREATE TABLE trouble (                 -- what kept the examination from knowing everything
  id                  INTEGER PRIMARY KEY,
  exhibit_id          INTEGER NOT NULL REFERENCES exhibit (id),
  address             TEXT NOT NULL,
  code                TEXT NOT NULL,
  text                TEXT NOT NULL,
  offset              INTEGER,
  length              INTEGER,
  UNIQUE (exhibit_id, address, code, text)
);

CREATE TABLE unreadable (              -- bytes of the source that could not be read
  exhibit_id          INTEGER NOT NULL REFERENCES exhibit (id),
  offset              INTEGER NOT NULL,
  length              INTEGER NOT NULL,
  reason              TEXT NOT NULL,
  PRIMARY KEY (exhibit_id, offset, length, reason)
) WITHOUT ROWID;

CREATE TABLE coverage (                -- every byte of the source in exactly one class
  exhibit_id          INTEGER NOT NULL REFERENCES exhibit (id),
  position            INTEGER NOT NULL, -- the order of a report
  class               TEXT NOT NULL,
  bytes               INTEGER NOT NULL,
  PRIMARY KEY (exhibit_id, class)
) WITHOUT ROWID;

CREATE TABLE recommendation (          -- what the software recommends; a named person decides
  exhibit_id          INTEGER PRIMARY KEY REFERENCES exhibit (id),
  verdict             TEXT NOT NULL,    -- seize-indicated, return-indicated, not-determined
  reasons             TEXT NOT NULL     -- JSON list of {code, text}, weightiest first
);

CREATE TABLE custody (                 -- the audit trail; digest = SHA-256 of the JSON array of the other columns
  sequence            INTEGER PRIMARY KEY,
  when_utc            TEXT NOT NULL,
  actor               TEXT NOT NULL,
  action              TEXT NOT NULL,
  subject             TEXT NOT NULL,
  payload             TEXT NOT NULL,    -- canonical JSON
  previous            TEXT NOT NULL,    -- digest of the event before, 64 zeros for the first
  digest              TEXT NOT NULL
);
CREATE TRIGGER custody_is_not_changed BEFORE UPDATE ON custody
BEGIN SELECT RAISE (ABORT, 'the custody ledger is never changed'); END;
CREATE TRIGGER custody_is_not_shortened BEFORE DELETE ON custody
BEGIN SELECT RAISE (ABORT, 'the custody ledger is never shortened'); END;
CREATE TRIGGER custody_is_appended BEFORE INSERT ON custody
WHEN NEW.sequence IS NOT (SELECT coalesce(max(sequence), 0) + 1 FROM custody)
BEGIN SELECT RAISE (ABORT, 'a custody event follows the last one'); END;
