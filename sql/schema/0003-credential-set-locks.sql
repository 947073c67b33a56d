-- Each session and each binding locked the row of its credential set, since a foreign key does so: all
-- downloads met at that one row, and wrote it, only to hear what cannot be otherwise. A set is there for
-- ever; that is now said where it is true.
alter table rsp_session drop constraint rsp_session_credential_set_fkey;
alter table binding drop constraint binding_credential_set_fkey;

create function credential_set_guard() returns trigger
    language plpgsql as $$
begin
    raise exception 'credential set % is in use for ever', old.id using errcode = 'check_violation';
end $$;
create trigger credential_set_guard before delete or update of id on credential_set
    for each row execute function credential_set_guard();
