CREATE TABLE records (id bigserial PRIMARY KEY, text text NOT NULL);
