-- 1,000,000 rows in four tables with keys and indexes, for `firedrill rehearse --measure`.
create table a (id bigint primary key, name text not null, made datetime not null, amount decimal(12, 2), note text, key (made));
create table b (id bigint primary key, a bigint not null, state varchar(8) not null, about json, key (a), constraint b_a foreign key (a) references a (id));
create table c (id bigint primary key, code char(36) not null, flag boolean, place double, text text, key (code));
create table d (first int, second int, value varbinary(64), text varchar(64), primary key (first, second), key (text));
insert into a select seq, concat('name ', seq), date_add('2026-01-01', interval seq minute), seq * 1.07, repeat(md5(seq), 3) from seq_1_to_250000;
insert into b select seq, 1 + (seq * 7919) % 250000, elt(1 + seq % 3, 'new', 'paid', 'sent'), json_object('n', seq, 'tags', json_array(md5(seq), md5(-seq))) from seq_1_to_250000;
insert into c select seq, uuid(), seq % 2 = 0, sqrt(seq), repeat(md5(seq * 3), 3) from seq_1_to_250000;
insert into d select seq div 500, seq % 500, unhex(repeat(md5(seq), 2)), repeat(md5(seq * 5), 2) from seq_1_to_250000;
