"""FHIR R4 resources and types as far as telemetry reads them, with every field the standard has.

Fields that are carried by a document but not read keep their bytes (`Carried`); a field that is not
listed here is none of R4 and is refused. Reference: HL7 International, FHIR 4.0.1,
https://hl7.org/fhir/R4/ (observation, bundle, datatypes).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Union

from msgspec import UNSET, Meta, Raw, Struct, UnsetType, defstruct
from msgspec.json import Decoder

__all__ = [
    "ANY_RESOURCE",
    "DOCUMENT",
    "LOINC",
    "MDC",
    "OWN_CODES",
    "OWN_EXTENSION",
    "UCUM",
    "Bundle",
    "CodeableConcept",
    "Component",
    "Device",
    "Entry",
    "Extension",
    "Identifier",
    "Listed",
    "Observation",
    "Other",
    "Patient",
    "Period",
    "Quantity",
    "Reference",
    "Resource",
    "SampledData",
    "Valued",
]

LOINC = "http://loinc.org"
MDC = "urn:iso:std:iso:11073:10101"
UCUM = "http://unitsofmeasure.org"
OWN_CODES = "urn:isosoma:variable"
OWN_EXTENSION = "urn:isosoma:reading"
"""Our extension holds what R4 has no field for: channel, running number, flags, spreads."""

Carried = Raw | UnsetType
Listed = list[Raw] | UnsetType
Text = str | UnsetType
Id = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9\-.]{1,64}\Z")] | UnsetType

# R4 resource types beside those with a class below (4.0.1, resourcelist).
_OTHERS = """
Account ActivityDefinition AdverseEvent AllergyIntolerance Appointment AppointmentResponse
AuditEvent Basic Binary BiologicallyDerivedProduct BodyStructure Bundle CapabilityStatement
CarePlan CareTeam CatalogEntry ChargeItem ChargeItemDefinition Claim ClaimResponse
ClinicalImpression CodeSystem Communication CommunicationRequest CompartmentDefinition Composition
ConceptMap Condition Consent Contract Coverage CoverageEligibilityRequest
CoverageEligibilityResponse DetectedIssue DeviceDefinition DeviceMetric DeviceRequest
DeviceUseStatement DiagnosticReport DocumentManifest DocumentReference EffectEvidenceSynthesis
Encounter Endpoint EnrollmentRequest EnrollmentResponse EpisodeOfCare EventDefinition Evidence
EvidenceVariable ExampleScenario ExplanationOfBenefit FamilyMemberHistory Flag Goal
GraphDefinition Group GuidanceResponse HealthcareService ImagingStudy Immunization
ImmunizationEvaluation ImmunizationRecommendation ImplementationGuide InsurancePlan Invoice
Library Linkage List Location Measure MeasureReport Media Medication MedicationAdministration
MedicationDispense MedicationKnowledge MedicationRequest MedicationStatement MedicinalProduct
MedicinalProductAuthorization MedicinalProductContraindication MedicinalProductIndication
MedicinalProductIngredient MedicinalProductInteraction MedicinalProductManufactured
MedicinalProductPackaged MedicinalProductPharmaceutical MedicinalProductUndesirableEffect
MessageDefinition MessageHeader MolecularSequence NamingSystem NutritionOrder
ObservationDefinition OperationDefinition OperationOutcome Organization OrganizationAffiliation
Parameters PaymentNotice PaymentReconciliation Person PlanDefinition Practitioner PractitionerRole
Procedure Provenance Questionnaire QuestionnaireResponse RelatedPerson RequestGroup
ResearchDefinition ResearchElementDefinition ResearchStudy ResearchSubject RiskAssessment
RiskEvidenceSynthesis Schedule SearchParameter ServiceRequest Slot Specimen SpecimenDefinition
StructureDefinition StructureMap Subscription Substance SubstanceNucleicAcid SubstancePolymer
SubstanceProtein SubstanceReferenceInformation SubstanceSourceMaterial SubstanceSpecification
SupplyDelivery SupplyRequest Task TerminologyCapabilities TestReport TestScript ValueSet
VerificationResult VisionPrescription
"""


class _Closed(Struct, rename="camel", forbid_unknown_fields=True, gc=False):
    """A type of which every field is listed."""


class Extension(Struct, rename="camel", gc=False):
    """An extension, of which we read texts and numbers; other values are passed over."""

    url: str
    extension: tuple[Extension, ...] = ()
    value_string: str = ""
    value_decimal: Carried = UNSET


class _Element(_Closed):
    """Fields of every element."""

    id: Text = UNSET
    extension: tuple[Extension, ...] = ()


class Coding(_Element):
    """A code and its system."""

    system: str = ""
    code: str = ""
    version: Text = UNSET
    display: Text = UNSET
    user_selected: bool | UnsetType = UNSET
    _system: Carried = UNSET
    _code: Carried = UNSET
    _version: Carried = UNSET
    _display: Carried = UNSET
    _user_selected: Carried = UNSET


class CodeableConcept(_Element):
    """The same concept in several codings."""

    coding: tuple[Coding, ...] = ()
    text: str = ""
    _text: Carried = UNSET


class Period(_Element):
    """From one time to another."""

    start: str = ""
    end: str = ""
    _start: Carried = UNSET
    _end: Carried = UNSET


class Identifier(_Element):
    """A name given by an authority."""

    use: Literal["usual", "official", "temp", "secondary", "old"] | UnsetType = UNSET
    type: CodeableConcept | UnsetType = UNSET
    system: str = ""
    value: str = ""
    period: Period | UnsetType = UNSET
    assigner: Carried = UNSET
    _use: Carried = UNSET
    _system: Carried = UNSET
    _value: Carried = UNSET


class Reference(_Element):
    """A pointer to another resource."""

    reference: str = ""
    type: str = ""
    identifier: Identifier | UnsetType = UNSET
    display: str = ""
    _reference: Carried = UNSET
    _type: Carried = UNSET
    _display: Carried = UNSET


class Quantity(_Element):
    """A number with its unit; the number keeps the digits it was written with."""

    value: Carried = UNSET
    comparator: Literal["<", "<=", ">=", ">"] | UnsetType = UNSET
    unit: Text = UNSET
    system: str = ""
    code: str = ""
    _value: Carried = UNSET
    _comparator: Carried = UNSET
    _unit: Carried = UNSET
    _system: Carried = UNSET
    _code: Carried = UNSET


class SampledData(_Element, kw_only=True):
    """Evenly spaced samples: value = origin + factor * sample. `interval` and on are R5."""

    origin: Quantity
    dimensions: Annotated[int, Meta(ge=1, le=64)]
    period: Carried = UNSET
    factor: Carried = UNSET
    lower_limit: Carried = UNSET
    upper_limit: Carried = UNSET
    data: str = ""
    interval: Carried = UNSET
    interval_unit: str = ""
    code_map: Carried = UNSET
    offsets: Carried = UNSET
    _period: Carried = UNSET
    _factor: Carried = UNSET
    _lower_limit: Carried = UNSET
    _upper_limit: Carried = UNSET
    _dimensions: Carried = UNSET
    _data: Carried = UNSET
    _interval: Carried = UNSET
    _interval_unit: Carried = UNSET
    _code_map: Carried = UNSET
    _offsets: Carried = UNSET


class Valued(_Element):
    """Fields that an observation and its components share."""

    value_quantity: Quantity | UnsetType = UNSET
    value_codeable_concept: Carried = UNSET
    value_string: Carried = UNSET
    value_boolean: Carried = UNSET
    value_integer: Carried = UNSET
    value_range: Carried = UNSET
    value_ratio: Carried = UNSET
    value_sampled_data: SampledData | UnsetType = UNSET
    value_time: Carried = UNSET
    value_date_time: Carried = UNSET
    value_period: Carried = UNSET
    data_absent_reason: CodeableConcept | UnsetType = UNSET
    interpretation: Listed = UNSET
    reference_range: Listed = UNSET
    _value_string: Carried = UNSET
    _value_boolean: Carried = UNSET
    _value_integer: Carried = UNSET
    _value_time: Carried = UNSET
    _value_date_time: Carried = UNSET


class Component(Valued, kw_only=True):
    """One of the numbers of a panel."""

    code: CodeableConcept


class Observation(Valued, kw_only=True, tag_field="resourceType", tag="Observation"):
    """A measurement."""

    id: Id = UNSET
    status: Literal[
        "registered", "preliminary", "final", "amended", "corrected", "cancelled",
        "entered-in-error", "unknown",
    ]  # fmt: skip
    code: CodeableConcept
    subject: Reference | UnsetType = UNSET
    effective_date_time: Text = UNSET
    effective_instant: Text = UNSET
    effective_period: Period | UnsetType = UNSET
    effective_timing: Carried = UNSET
    component: tuple[Component, ...] = ()
    device: Reference | UnsetType = UNSET
    body_site: CodeableConcept | UnsetType = UNSET
    identifier: tuple[Identifier, ...] = ()
    focus: Listed = UNSET
    contained: Listed = UNSET
    meta: Carried = UNSET
    language: Text = UNSET
    text: Carried = UNSET
    based_on: list[Reference] | UnsetType = UNSET
    part_of: list[Reference] | UnsetType = UNSET
    category: list[CodeableConcept] | UnsetType = UNSET
    encounter: Reference | UnsetType = UNSET
    issued: Text = UNSET
    performer: list[Reference] | UnsetType = UNSET
    note: Listed = UNSET
    method: CodeableConcept | UnsetType = UNSET
    specimen: Reference | UnsetType = UNSET
    has_member: list[Reference] | UnsetType = UNSET
    derived_from: list[Reference] | UnsetType = UNSET
    _language: Carried = UNSET
    _status: Carried = UNSET
    _effective_date_time: Carried = UNSET
    _effective_instant: Carried = UNSET
    _issued: Carried = UNSET


class Patient(Struct, tag_field="resourceType", tag="Patient", gc=False):
    """A patient, of whom only the names count here."""

    id: Id = UNSET
    identifier: tuple[Identifier, ...] = ()


class Device(Struct, rename="camel", tag_field="resourceType", tag="Device", gc=False):
    """A device, of which only the names count here."""

    id: Id = UNSET
    identifier: tuple[Identifier, ...] = ()
    serial_number: str = ""


class Other(Struct, tag_field="resourceType", gc=False):
    """A resource that holds no reading."""

    id: Id = UNSET


_OTHER_TYPES = tuple(defstruct(n, [], bases=(Other,), tag=n, gc=False) for n in _OTHERS.split())

if TYPE_CHECKING:
    Resource = Observation | Patient | Device | Other
else:
    Resource = Union[(Observation, Patient, Device, *_OTHER_TYPES)]


class Request(_Element):
    """What a transaction asks for."""

    method: Literal["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", ""] = ""
    url: Text = UNSET
    if_none_match: Text = UNSET
    if_modified_since: Text = UNSET
    if_match: Text = UNSET
    if_none_exist: Text = UNSET
    _method: Carried = UNSET
    _url: Carried = UNSET
    _if_none_match: Carried = UNSET
    _if_modified_since: Carried = UNSET
    _if_match: Carried = UNSET
    _if_none_exist: Carried = UNSET


class Search(_Element):
    """Why a search found the entry."""

    mode: Literal["match", "include", "outcome"] | UnsetType = UNSET
    score: float | UnsetType = UNSET
    _mode: Carried = UNSET
    _score: Carried = UNSET


class Entry(_Element):
    """A resource of a bundle."""

    full_url: str = ""
    resource: Resource | UnsetType = UNSET
    request: Request | UnsetType = UNSET
    search: Search | UnsetType = UNSET
    response: Carried = UNSET
    link: Listed = UNSET
    _full_url: Carried = UNSET


class Bundle(_Closed, kw_only=True, tag_field="resourceType", tag="Bundle"):
    """Several resources in one document."""

    type: Literal[
        "document", "message", "transaction", "transaction-response", "batch", "batch-response",
        "history", "searchset", "collection",
    ]  # fmt: skip
    entry: tuple[Entry, ...] = ()
    id: Id = UNSET
    identifier: Identifier | UnsetType = UNSET
    timestamp: Text = UNSET
    total: Annotated[int, Meta(ge=0)] | UnsetType = UNSET
    link: Listed = UNSET
    signature: Carried = UNSET
    meta: Carried = UNSET
    language: Text = UNSET
    _type: Carried = UNSET
    _timestamp: Carried = UNSET
    _total: Carried = UNSET
    _language: Carried = UNSET


if TYPE_CHECKING:
    _Document = Bundle | Observation | Patient | Device | Other
else:
    _Document = Union[
        (Bundle, Observation, Patient, Device, *(t for t in _OTHER_TYPES if t.__name__ != "Bundle"))
    ]

DOCUMENT: Decoder[_Document] = Decoder(_Document)
ANY_RESOURCE: Decoder[Resource] = Decoder(Resource)
