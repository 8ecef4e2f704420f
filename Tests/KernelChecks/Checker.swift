public import VDSQKernels

/// Checks of one kernel table against the scalar reference.
///
/// The checks stay in the Embedded subset, so that they run on every instruction set: under Swift
/// Testing for those of this machine, and as a program under an emulator for others.
public final class Checker {
  public let table: KernelTable
  /// One line per failure.
  public private(set) var failures: [String] = []
  public private(set) var count = 0

  public init(_ table: KernelTable) { self.table = table }

  /// Runs a named check.
  public struct Check: Sendable {
    public let name: StaticString
    public let run: @Sendable (Checker) -> Void
  }

  public static let all: [Check] = [
    Check(name: "quantizeRows") { $0.quantizeRows() },
    Check(name: "gemmU8S8") { $0.gemmU8S8() },
    Check(name: "gemmFloat") { $0.gemmFloat() },
    Check(name: "gemmGroups") { $0.gemmGroups() },
    Check(name: "panelRanges") { $0.panelRanges() },
    Check(name: "attention") { $0.attention() },
    Check(name: "attentionInt16") { $0.attentionInt16() },
    Check(name: "causalAttention") { $0.causalAttention() },
    Check(name: "softmax") { $0.softmax() },
    Check(name: "exponentialSum") { $0.exponentialSum() },
    Check(name: "norms") { $0.norms() },
    Check(name: "rotary") { $0.rotary() },
    Check(name: "gates") { $0.gates() },
    Check(name: "cosines") { $0.cosines() },
    Check(name: "topK") { $0.topK() },
    Check(name: "coarseScan") { $0.coarseScan() },
    Check(name: "vectors") { $0.vectors() },
    Check(name: "halves") { $0.halves() },
    Check(name: "notFinite") { $0.notFinite() },
  ]

  /// Lengths around every vector width of the kernels.
  static let lengths = [1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 32, 33, 47, 64, 100, 129, 384]

  func expect(_ condition: Bool, _ what: @autoclosure () -> String) {
    count += 1
    if !condition { failures.append(what()) }
  }

  /// Requires every difference to be at most `bound` times the largest magnitude of the reference,
  /// plus `absolute`.
  func expectClose(
    _ ours: [Float], _ reference: [Float], _ bound: Float, absolute: Float = 0,
    _ what: @autoclosure () -> String
  ) {
    var size: Float = 1e-6
    for value in reference { size = max(size, value.magnitude) }
    var worst: Float = 0
    for i in 0..<reference.count {
      let difference = (ours[i] - reference[i]).magnitude
      // A NaN anywhere must fail.
      if !(difference <= worst) { worst = difference.isNaN ? .infinity : difference }
    }
    let excess = worst / (size * bound + absolute)
    expect(excess <= 1, what() + ": \(excess < 1e9 ? Int(excess * 100) : -1)% of the bound")
  }
}
