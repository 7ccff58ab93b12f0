-- Items without a unique index of their addresses: to keep one costs a walk more than all else in storing an item.
-- Addresses are unique in their region all the same; an index `item_address` is there while a walk cannot do without.

CREATE TABLE item_4 (                  -- one row for everything that has a name
  id                  INTEGER PRIMARY KEY,
  region_id           INTEGER NOT NULL REFERENCES region (id),
  sequence            INTEGER NOT NULL, -- position in the walk of its volume, from 0
  address             TEXT NOT NULL,    -- cites the item from the source inwards; unique in its region
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
  direct              INTEGER NOT NULL DEFAULT 0, -- 1: the runs, end to end, are the content
  tier                INTEGER NOT NULL DEFAULT 0, -- the order of looking: how promising its folder is
  rank                INTEGER NOT NULL DEFAULT 0, -- its place in that order, lower first; falls near a hit
  draw                INTEGER,          -- class of the random sample; null: no picture by name
  look                INTEGER NOT NULL DEFAULT 0, -- 1: still to be looked at by its embedded picture
  position            INTEGER NOT NULL DEFAULT 0, -- where its content begins, 0 where that is not known
  digest_way          TEXT,             -- how the content was read and its MD5 made
  picture_scale       INTEGER           -- decoded at one so-manieth of its sides; 1: in full
);
INSERT INTO item_4 (id, region_id, sequence, address, path, path_bytes, kind, size, allocated, recovered, encrypted,
                    unlocated, reference, modified, created, accessed, changed, runs, md5, sha1, sha256, media_type,
                    pdq, pdq_quality, phash, picture_damaged, outcome, reason, direct, tier, rank, draw, look,
                    position, digest_way, picture_scale)
SELECT id, region_id, sequence, address, path, path_bytes, kind, size, allocated, recovered, encrypted,
       unlocated, reference, modified, created, accessed, changed, runs, md5, sha1, sha256, media_type,
       pdq, pdq_quality, phash, picture_damaged, outcome, reason, direct, tier, rank, draw, look,
       position, digest_way, picture_scale
FROM item ORDER BY id;
DROP TABLE item;
ALTER TABLE item_4 RENAME TO item;
CREATE INDEX item_in_order ON item (region_id, sequence);
CREATE INDEX item_queue ON item (region_id, rank, position) WHERE outcome = 'not-reached';
CREATE INDEX item_look ON item (region_id, rank, position) WHERE look = 1;
