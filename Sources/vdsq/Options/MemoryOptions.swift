import ArgumentParser
import VDSQ
import VDSQFormat
import VDSQInference
import VDSQSemantics

/// The memory limit of a command.
struct MemoryOptions: ParsableArguments {
  @Option(help: "The limit of the process's peak memory: 64M (MiB), 64MB, 1G or a number of bytes.")
  var memoryBudget: String?

  /// - Throws: `usage` if it is not a number of bytes.
  func bytes() throws(VDSQError) -> Int? {
    guard let memoryBudget else { return nil }
    guard let count = ByteCount.parse(memoryBudget) else {
      throw .usage("--memory-budget \(memoryBudget): a number of bytes, or such as 64M or 64MB")
    }
    return count
  }

  /// Refuses a budget that reading the contents of files would exceed.
  ///
  /// - Parameters:
  ///   - files: files that were opened without their weights.
  ///   - decodes: whether compressed sections will be decoded into memory.
  ///   - what: the work that needs the memory, for the error message.
  /// - Throws: `budgetTooSmall`, with the smallest sufficient budget.
  func checkReading(
    _ files: [Container], decodes: Bool, what: String = "this"
  ) throws(VDSQError) {
    guard let budget = try bytes() else { return }
    guard let used = ProcessMemory.peakResidentBytes() else { throw ProcessMemory.unknown }
    // Pages are released behind the reader, 4 MiB at a time, and the kernel maps more than is
    // touched.
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
