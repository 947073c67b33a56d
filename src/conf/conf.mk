# The annotated sample and the manual chapter out of src/conf/options.def.
