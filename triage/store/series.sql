ALTER TABLE finding ADD COLUMN series TEXT;  -- the series that the publisher names
ALTER TABLE finding ADD COLUMN flags TEXT;   -- what the publisher says with yes or no, separated by blanks
