-- What the engine's tests need of a database.
create table thing (
    id    bigint primary key,
    owner bytea,
    moves integer not null default 0
);
insert into thing (id) select generate_series(1, 50);

create sequence tries;
create function fail_first(code text, times integer) returns boolean
    language plpgsql volatile as $$
begin
    if nextval('tries') <= times then
        raise exception 'as it was asked to' using errcode = code;
    end if;
    return true;
end $$;
