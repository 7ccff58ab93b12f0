ALTER TABLE item ADD COLUMN direct INTEGER NOT NULL DEFAULT 0;   -- 1: the runs, end to end, are the content
ALTER TABLE item ADD COLUMN tier INTEGER NOT NULL DEFAULT 0;     -- the order of looking: how promising its folder is
ALTER TABLE item ADD COLUMN rank INTEGER NOT NULL DEFAULT 0;     -- its place in that order, lower first; falls near a hit
ALTER TABLE item ADD COLUMN draw INTEGER;                        -- class of the random sample; null: no picture by name
ALTER TABLE item ADD COLUMN look INTEGER NOT NULL DEFAULT 0;     -- 1: still to be looked at by its embedded picture
ALTER TABLE item ADD COLUMN position INTEGER NOT NULL DEFAULT 0; -- where its content begins, 0 where that is not known
ALTER TABLE item ADD COLUMN digest_way TEXT;                     -- how the content was read and its MD5 made
ALTER TABLE item ADD COLUMN picture_scale INTEGER;               -- decoded at one so-manieth of its sides; 1: in full
ALTER TABLE exhibit ADD COLUMN ended_by TEXT;                    -- end, request, time-limit, enough-found
CREATE INDEX item_queue ON item (region_id, rank, position) WHERE outcome = 'not-reached';
CREATE INDEX item_look ON item (region_id, rank, position) WHERE look = 1;
