"""Pure readers: the bytes of one format to FHIR message Bundles, or every reason why not."""
