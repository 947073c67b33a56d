# The annotated sample and the manual's option chapter out of src/conf/options.def.
$(B)/conf-describe: $(B)/obj/conf/gen/describe.o $(call archives,conf)
	$(call say,LD,$@)
	$(Q)$(call link,conf,$<)

$(B)/rspd.conf.sample: $(B)/conf-describe
	$(call say,GEN,$@)
	$(Q)$< sample > $@

$(B)/man/rspd.conf.5: docs/man/rspd.conf.5.in $(B)/conf-describe
	$(call say,GEN,$@)
	@mkdir -p $(@D)
	$(Q)$(B)/conf-describe manual > $@.options
	$(Q)sed -e '/^@OPTIONS@$$/{' -e 'r $@.options' -e 'd' -e '}' $< > $@
	@rm $@.options

# etc/rspd.conf is committed, so that people can read it without building; lint holds it to the table.
.PHONY: sample lint-sample
sample: $(B)/rspd.conf.sample
	cp $< etc/rspd.conf
lint-sample: $(B)/rspd.conf.sample
	@cmp -s $< etc/rspd.conf || { echo "etc/rspd.conf differs from src/conf/options.def: run make sample"; exit 1; }
