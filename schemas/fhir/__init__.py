"""FHIR R4 in and out: `write.bundle` makes a message Bundle of a SourceMessage, `read.read` makes one of any Bundle."""
