# Statements and migrations of sql/ as C tables: $(B)/gen/store/queries.h and queries.c.
# sql_tables: folder with query/ and schema/, folder for the tables, name of the catalog, prefix.
define sql_tables
$2/queries.h $2/queries.c &: src/store/sql.py $$(wildcard $1/query $1/query/*.sql $1/schema $1/schema/*.sql)
	$$(call say,GEN,$2)
	$$(Q)$$(PYTHON) src/store/sql.py $1 $2 $3 $4
endef
$(eval $(call sql_tables,sql,$(B)/gen/store,store_catalog,Q_))

GENERATED_store := $(B)/gen/store/queries.h
GENERATED_OBJ_store := $(B)/obj/gen/store/queries.o
$(B)/obj/gen/store/queries.o: $(B)/gen/store/queries.c $(B)/config.mk
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(call ALL_CFLAGS,store) -c -o $@ $<

# The engine's tests bring SQL of their own.
$(eval $(call sql_tables,tests/store/sql,$(B)/gen/store-engine,engine_catalog,E_))
$(B)/store/store_engine_test $(B)/store/store_migrate_test $(B)/store/store_outage_test: $(B)/gen/store-engine/queries.c
