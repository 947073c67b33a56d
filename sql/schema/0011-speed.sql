-- What downloads paid for without need.

-- In plpgsql, which keeps its plan: a function in SQL is parsed and planned anew by each statement that calls it.
create or replace function es2_told(operator_id bigint, of_cards boolean default false) returns integer
    language plpgsql stable parallel safe as $$
begin
    return (select count(*)
              from subscriber s
             where s.kind = 'es2' and s.operator_id = $1 and (s.card_events or not $2));
end $$;
