"""Names of identifier and code systems, and the one table that makes variant spellings equal.

NHS's own published examples disagree in scheme (`http`/`https`), host (`fhir.nhs.net`) and case (`/id/`), so every URI
is brought to one spelling before it is compared. Source: UK Core 2.x, BaRS and e-RS example sets, read November 2026.
"""

from functools import lru_cache
from urllib.parse import quote, unquote

NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"
ODS_ORGANISATION = "https://fhir.nhs.uk/Id/ods-organization-code"
ODS_SITE = "https://fhir.nhs.uk/Id/ods-site-code"
UBRN = "https://fhir.nhs.uk/Id/UBRN"
SNOMED = "http://snomed.info/sct"
DMD = "https://dmd.nhs.uk"
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
READ_V2 = "http://read.info/readv2"
CTV3 = "http://read.info/ctv3"
OPCS4 = "https://fhir.hl7.org.uk/CodeSystem/OPCS-4"
CANCELLATION_REASON = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason"
ENCOUNTER_CLASS = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
OBSERVATION_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"

DATA_ABSENT_REASON = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
ETHNIC_CATEGORY = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-EthnicCategory"
NUMBER_STATUS = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSNumberVerificationStatus"
STATUS_REASON = "http://hl7.org/fhir/StructureDefinition/request-statusReason"
DELIVERY_CHANNEL = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-DeliveryChannel"
ETHNIC_2001 = "https://fhir.hl7.org.uk/CodeSystem/UKCore-EthnicCategoryEngland"
NUMBER_STATUS_CODES = "https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberVerificationStatusEngland"

TIERLINK = "https://tierlink.example/"
ETHNIC_2021 = TIERLINK + "CodeSystem/ethnic-category-2021"
ETHNIC_DWMP = TIERLINK + "CodeSystem/ethnic-group-dwmp"

# Identifier systems that name something nationally: an identifier in one of them is never a local patient id.
NATIONAL = frozenset({
    NHS_NUMBER, ODS_ORGANISATION, ODS_SITE, UBRN, "https://fhir.nhs.uk/Id/sds-user-id",
    "https://fhir.nhs.uk/Id/sds-role-profile-id", "https://fhir.nhs.uk/Id/dos-service-id",
    "https://fhir.nhs.uk/Id/BaRS-Identifier", "https://fhir.nhs.uk/Id/product-id",
    "https://fhir.nhs.uk/Id/ers-service", "https://fhir.nhs.uk/Id/ers-request-id",
    "https://fhir.nhs.uk/Id/alternative-slot", "https://fhir.hl7.org.uk/Id/gmc-number",
    "https://fhir.hl7.org.uk/Id/gmp-number", "https://fhir.hl7.org.uk/Id/nmc-number",
    "https://fhir.hl7.org.uk/Id/gphc-number",
})  # fmt: skip

_CODE_SYSTEMS = (
    SNOMED, DMD, LOINC, UCUM, READ_V2, CTV3, OPCS4, CANCELLATION_REASON, ENCOUNTER_CLASS, ETHNIC_CATEGORY,
    NUMBER_STATUS, STATUS_REASON, DELIVERY_CHANNEL, ETHNIC_2001, NUMBER_STATUS_CODES, DATA_ABSENT_REASON,
)  # fmt: skip


def _folded(uri: str) -> str:
    return uri.strip().split("://", 1)[-1].rstrip("/").lower()


_CANONICAL = {_folded(uri): uri for uri in (*NATIONAL, *_CODE_SYSTEMS)}
_CANONICAL |= {
    "fhir.nhs.net/id/nhs-number": NHS_NUMBER,  # e-RS STU3, 133 uses in its examples
    "urn:oid:2.16.840.1.113883.2.1.4.1": NHS_NUMBER,  # CDA's root, carried over by converters
    "fhir.nhs.net/id/sds-user-id": "https://fhir.nhs.uk/Id/sds-user-id",
    "fhir.nhs.net/id/ers-service": "https://fhir.nhs.uk/Id/ers-service",
    "urn:oid:2.16.840.1.113883.6.96": SNOMED,
    "urn:oid:2.16.840.1.113883.6.1": LOINC,
    "urn:oid:2.16.840.1.113883.6.8": UCUM,
    "urn:oid:2.16.840.1.113883.2.1.6.2": READ_V2,
    "urn:oid:2.16.840.1.113883.2.1.3.2.4.14": CTV3,
    "read.info/read2": READ_V2,
    "fhir.hl7.org.uk/codesystem/ukcore-ethniccategory": ETHNIC_2001,  # BaRS; the same letters
    "fhir.hl7.org.uk/codesystem/ukcore-nhsnumberverificationstatus": NUMBER_STATUS_CODES,  # PDS and BaRS
}


@lru_cache(maxsize=4096)
def canonical_uri(uri: str) -> str:
    """The one spelling of a system we know; any other URI unchanged.

    >>> canonical_uri("http://fhir.nhs.uk/id/NHS-number/") == NHS_NUMBER
    True
    """
    return _CANONICAL.get(_folded(uri), uri)


def extension_url(name: str) -> str:
    """The URL of an extension of ours: hyphenated words."""
    return f"{TIERLINK}StructureDefinition/{name}"


def identifier_system(kind: str, source: str) -> str:
    """The system of a source's own identifiers: `kind` is patient, referral, message, measurement, ….

    >>> identifier_system("patient", "gp-hub")
    'https://tierlink.example/Id/patient/gp-hub'
    """
    return f"{TIERLINK}Id/{kind}/{source}"


def patient_system(source: str, authority: str) -> str:
    """The system of a patient's number that `authority` issued, as `source` writes it; "" is the source itself.

    >>> patient_system("trust-wm", "RXX")
    'https://tierlink.example/Id/patient/trust-wm/RXX'
    """
    if not authority:
        return identifier_system("patient", source)
    named = "://" in authority or authority.startswith("urn:")
    return authority if named else f"{identifier_system('patient', source)}/{quote(authority, safe='')}"


def patient_authority(source: str, system: str) -> str:
    """Who issued a patient's number of this `system`: the reverse of `patient_system`."""
    ours = identifier_system("patient", source)
    if system == ours:
        return ""
    return unquote(system.removeprefix(f"{ours}/")) if system.startswith(f"{ours}/") else canonical_uri(system)
