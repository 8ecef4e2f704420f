// The types that a user of the facade needs: errors, memory policies, labels, templates, adapters, and
// for hidden states encoders and vocabularies.
@_exported public import VDSQFormat
@_exported public import VDSQInference
@_exported public import VDSQSemantics
