# The generated ASN.1 codecs: asn1c over asn1/*.asn, compiled into one archive.
ASN1_STAMP := 
