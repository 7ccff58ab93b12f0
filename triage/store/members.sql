-- What was found beyond the names of a walk: members of containers, content carved out of the space between files; and
-- what was learnt of a source besides: hints in names, samples of its blocks, the known-answer self-test.

ALTER TABLE item ADD COLUMN opens INTEGER NOT NULL DEFAULT 0;    -- 0 no container; 1 still to be gone through; 2 gone through; 3 in part
ALTER TABLE item ADD COLUMN members INTEGER NOT NULL DEFAULT 0;  -- how many items that are in it are stored
ALTER TABLE item ADD COLUMN container INTEGER REFERENCES item (id); -- of a member: the file that it is in, however deep
CREATE INDEX item_opens ON item (region_id, rank, position) WHERE opens = 1;
DROP INDEX IF EXISTS item_address;
ALTER TABLE exhibit ADD COLUMN self_test INTEGER;                -- the known-answer self-test: 1 passed, 0 failed; null: not run
ALTER TABLE exhibit ADD COLUMN self_test_text TEXT;              -- one line for a person

CREATE TABLE searched (                -- bytes that were searched for content without a name
  exhibit_id          INTEGER NOT NULL REFERENCES exhibit (id),
  offset              INTEGER NOT NULL,
  length              INTEGER NOT NULL,
  PRIMARY KEY (exhibit_id, offset, length)
) WITHOUT ROWID;

CREATE TABLE indication (              -- what names and a few contents hint at; no part of a recommendation
  exhibit_id          INTEGER NOT NULL REFERENCES exhibit (id),
  category            TEXT NOT NULL,    -- encryption, ...
  label               TEXT NOT NULL,
  address             TEXT NOT NULL,    -- of the item that hints at it
  path                TEXT NOT NULL,
  text                TEXT NOT NULL,    -- what it means and what not
  PRIMARY KEY (exhibit_id, category, label, address)
) WITHOUT ROWID;

CREATE TABLE block_sample (            -- blocks of a part of the source, and what was read of them; numbers of blocks
  exhibit_id          INTEGER NOT NULL REFERENCES exhibit (id),
  position            INTEGER NOT NULL, -- the order of a report
  label               TEXT NOT NULL,    -- the part
  blocks              INTEGER NOT NULL,
  grid                INTEGER NOT NULL, -- of them in a regular grid
  grid_read           INTEGER NOT NULL, -- of those read
  drawn               INTEGER NOT NULL, -- of the others drawn at random and read
  leads               INTEGER NOT NULL, -- of those read: blocks of known files
  alone               INTEGER NOT NULL, -- of leads: in no finding
  grid_unreadable     INTEGER NOT NULL, -- of grid_read
  drawn_unreadable    INTEGER NOT NULL, -- of drawn
  left_bytes          INTEGER NOT NULL, -- bytes of the part that are in no whole block
  PRIMARY KEY (exhibit_id, position)
) WITHOUT ROWID;
