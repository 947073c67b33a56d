-- Statements for the engine's own tests.

-- name: echo(big bigint, mid integer, small smallint, words text, octets bytea, yes boolean,
--            at timestamptz, uid uuid, doc jsonb)
--            -> big bigint, mid integer, small smallint, words text, octets bytea, yes boolean,
--            at timestamptz, uid uuid, doc jsonb
-- Gives back what it was given.
select $1 as big, $2 as mid, $3 as small, $4 as words, $5 as octets, $6 as yes, $7 as at, $8 as uid,
       $9 as doc;

-- name: echo_text(at timestamptz, doc jsonb, big bigint) -> words text
-- What the database understood, in its own words.
select to_char($1 at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || ' ' || ($2 ->> 'a') || ' ' || $3::text
    as words;

-- name: numbers(list bigint[]) -> value bigint
select value from unnest($1) as value;

-- name: words(list text[]) -> value text
select value from unnest($1) as value;

-- name: octets(list bytea[]) -> value bytea
select value from unnest($1) as value;

-- name: thing_find(id bigint) -> id bigint, moves integer     zero rows: none
select id, moves from thing where id = $1;

-- name: thing_claim(id bigint, owner bytea) -> moves integer      zero rows: conflict
-- Who comes first owns it; the owner may ask again and hears the same.
with was as (
    select t.id, t.owner from thing t where t.id = $1 and (t.owner is null or t.owner = $2) for update
), moved as (
    update thing t set owner = $2, moves = t.moves + (was.owner is null)::integer
      from was where t.id = was.id
 returning t.moves
)
select moves from moved;

-- name: thing_claim_slowly(id bigint, owner bytea, seconds integer) -> moves integer      zero rows: conflict
with was as (
    select t.id, t.owner
      from thing t, pg_sleep($3 / 1000.0)
     where t.id = $1 and (t.owner is null or t.owner = $2) for update of t
), moved as (
    update thing t set owner = $2, moves = t.moves + (was.owner is null)::integer
      from was where t.id = was.id
 returning t.moves
)
select moves from moved;

-- name: thing_drop(id bigint)
delete from thing where id = $1;

-- name: nap(ms integer) -> pid integer
select pg_backend_pid() as pid from pg_sleep($1 / 1000.0);

-- name: nap_background(ms integer) -> pid integer
-- lane: background
select pg_backend_pid() as pid from pg_sleep($1 / 1000.0);

-- name: setting(name text) -> value text
select current_setting($1) as value;

-- name: setting_background(name text) -> value text
-- lane: background
select current_setting($1) as value;

-- name: divide(by integer) -> result integer
select 1 / $1 as result;

-- name: fail_first(code text, times integer) -> fine boolean
select fail_first($1, $2) as fine;

-- name: big(n integer) -> octets bytea
select convert_to(repeat('x', $1), 'UTF8') as octets;
