/// The names of a configuration's rotary parameters. The objects `rope_parameters` and
/// `rope_scaling` have the same names in all architectures, and precede these keys.
struct RotaryKeys: Sendable {
  /// The base of the frequencies' geometric series; 10,000 if it is absent.
  var base = "rope_theta"
  /// The share of a head's elements that are rotated.
  var share = "partial_rotary_factor"
  /// The share if it is absent.
  var defaultShare = 1.0
}
