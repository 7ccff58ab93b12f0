-- How much of the space of a deleted item others have by now, told when the names of its volume are all listed; null
-- where that is not known, and of every item that is not deleted.

ALTER TABLE region ADD COLUMN block_size INTEGER; -- bytes that the file system gives at once; null: not known
ALTER TABLE item ADD COLUMN space INTEGER;  -- bytes that its runs hold, each counted once
ALTER TABLE item ADD COLUMN reused INTEGER; -- of these, bytes in blocks of allocated items of its volume

CREATE INDEX custody_by_action ON custody (action, subject); -- what was revealed, judged, received
