import ArgumentParser
import VDSQFormat

/// How much memory a command may take.
struct MemoryOptions: ParsableArguments {
  @Option(help: "The most memory that the process may take at its peak: 64M, 1G or bytes.")
  var memoryBudget: String?

  /// - Throws: `usage` where it is no number of bytes.
  func bytes() throws(VDSQError) -> Int? {
    guard let memoryBudget else { return nil }
    let units: [(String, Int)] = [("K", 10), ("M", 20), ("G", 30)]
    let text = memoryBudget.uppercased()
    for (unit, shift) in units where text.hasSuffix(unit) {
      if let count = Int(text.dropLast()), count > 0, count < 1 << 30 { return count << shift }
    }
    guard let count = Int(text), count > 0 else {
      throw .usage("--memory-budget \(memoryBudget): a number of bytes, or such as 64M")
    }
    return count
  }
}
