-- The day of purchase that an operator gives where the bank's cannot be true; set with the decision to count.
ALTER TABLE reviews ADD COLUMN purchased_on TEXT;
