-- 1,000,000 rows, about 200 MB in four tables with keys and indexes, for `firedrill rehearse --measure`.
create table a (id bigint primary key, name text not null, made timestamptz not null, amount numeric(12, 2), note text);
create index a_made on a (made);
create table b (id bigint primary key, a bigint not null references a, state text not null, about jsonb);
create index b_a on b (a);
create table c (id bigint primary key, code uuid not null, flag boolean, place double precision, text text);
create index c_code on c (code);
create table d (first int, second int, value bytea, text text, primary key (first, second));
create index d_text on d (text);
insert into a select n, 'name ' || n, timestamptz '2026-01-01 00:00:00Z' + n * interval '1 minute', n * 1.07, repeat(md5(n::text), 3) from generate_series(1, 250000) n;
insert into b select n, 1 + (n * 7919) % 250000, (array['new', 'paid', 'sent'])[1 + n % 3], jsonb_build_object('n', n, 'tags', array[md5(n::text), md5((-n)::text)]) from generate_series(1, 250000) n;
insert into c select n, md5(n::text)::uuid, n % 2 = 0, sqrt(n), repeat(md5((n * 3)::text), 3) from generate_series(1, 250000) n;
insert into d select n / 500, n % 500, decode(repeat(md5(n::text), 2), 'hex'), repeat(md5((n * 5)::text), 2) from generate_series(1, 250000) n;
analyze;
