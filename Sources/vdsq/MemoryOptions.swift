import ArgumentParser
import VDSQFormat
import VDSQInference
import VDSQSemantics

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

  /// Refuses a budget that reading files' contents would not keep to.
  ///
  /// - Parameters:
  ///   - files: opened without their weights.
  ///   - decodes: whether compressed sections are to be decoded, in memory of their own.
  ///   - what: needs it.
  /// - Throws: `budgetTooSmall`, with the smallest budget that would do.
  func checkReading(
    _ files: [Container], decodes: Bool, what: String = "this"
  ) throws(VDSQError) {
    guard let budget = try bytes(), let used = ProcessMemory.peakResidentBytes() else { return }
    // What is read is taken out of memory behind the reader, 4 MiB at a time, and the kernel maps more than is touched.
    var needed = used + files.count * (8 << 20)
    for file in files where decodes {
      for section in file.sections where section.encoding != .raw { needed += section.rawLength }
    }
    guard needed <= budget else {
      throw VDSQError(
        .budgetTooSmall,
        "--memory-budget: \(what) needs \(Footprint.namedBudget(for: needed) / 1024)K at least")
    }
  }
}
