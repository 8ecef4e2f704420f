// The types that a user of the facade needs: labels, templates, adapters, memory policies, lines,
// errors.
@_exported public import VDSQFormat
@_exported public import VDSQInference
@_exported public import VDSQSemantics
@_exported public import VDSQStreams
