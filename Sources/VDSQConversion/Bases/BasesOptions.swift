/// The options of a solver.
public struct BasesOptions: Sendable {
  /// The definition of the bases.
  public var method = BasesMethod.balanced
  /// Singular values below this share of the largest count as zero. Nil means the precision of
  /// float64 times the larger dimension.
  public var rcond: Double?
  /// The penalty of `ridge`, as a share of the mean squared singular value. With 1, the true next
  /// token of SmolLM2-135M is among the ten closest bases for .36 of 600 prefixes; for those of
  /// `pinv` it is .10.
  public var lambda = 1.0
  /// The result of `BalancedBases`, for the method `balanced`.
  var balanced: BalancedBases?
  /// The limit of the process's peak memory in bytes; nil for no limit.
  public var budget: Int?
  /// The number of threads of OpenBLAS, at least 1.
  public var threads = 1
  /// Whether bases are bit-identical on every machine of an architecture (x86-64 with AVX2, ARMv8).
  public var portable = false

  /// Creates the default options: `balanced` on one thread, without a memory limit.
  public init() {}
}
