import Foundation
import TestSupport
import Testing

/// The completion scripts of both programs complete names of files and options.
@Suite struct CompletionTests {
  /// What bash proposes for the last of some words.
  private func proposals(_ words: [String], in folder: URL) throws -> [String] {
    let program = words[0]
    let function = program == "vdsq" ? "_vdsq" : "_vdsq_run"
    let script = """
      source <(\(program) --generate-completion-script bash)
      COMP_WORDS=(\(words.map { "'\($0)'" }.joined(separator: " ")))
      COMP_CWORD=\(words.count - 1)
      COMP_LINE="${COMP_WORDS[*]}"
      COMP_POINT=${#COMP_LINE}
      \(function) \(program) "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
      printf '%s\\n' "${COMPREPLY[@]}"
      """
    let result = try Shell.run(script, in: folder)
    #expect(result.errors.isEmpty, "\(result.errors)")
    return result.lines
  }

  @Test(arguments: [
    ["vdsq", "classify", "mini"], ["vdsq", "classify", "minilm.vdsq", "--adapter", "mini"],
    ["vdsq", "adapt", "minilm.vdsq", "mini"], ["vdsq", "convert", "x", "-o", "mini"],
    ["vdsq-run", "mini"], ["vdsq-run", "minilm.vdsq", "--adapter", "mini"],
  ])
  func filesAreCompleted(_ words: [String]) throws {
    let folder = try TemporaryFolder()
    _ = try folder.write(Data(), to: "minilm.vdsq")
    _ = try folder.write(Data(), to: "other.vdsq")
    #expect(try proposals(words, in: folder.url) == ["minilm.vdsq"])
  }

  @Test(arguments: [
    (["vdsq", "clas"], "classify"), (["vdsq", "embed", "m", "--max"], "--max-tokens"),
    (["vdsq-run", "m", "--max"], "--max-tokens"),
    (["vdsq-run", "m", "--memory-policy", "str"], "stream"),
    (["vdsq", "embed", "m", "--memory-policy", "str"], "stream"),
  ])
  func namesAreCompleted(_ words: [String], _ name: String) throws {
    let folder = try TemporaryFolder()
    #expect(
      try proposals(words, in: folder.url).map { $0.trimmingCharacters(in: .whitespaces) } == [name]
    )
  }

  /// In the other shells, files are what an option of a path takes, and options are known.
  @Test func otherShells() throws {
    let (vdsq, run) = (Program("vdsq"), Program("vdsq-run"))
    let zsh = try vdsq.run(["--generate-completion-script", "zsh"]).output
    #expect(zsh.contains("--adapter[") && zsh.contains(":adapter:_files"))
    #expect(try run.run(["--generate-completion-script", "zsh"]).output.contains("_files"))
    let fish = try vdsq.run(["--generate-completion-script", "fish"]).output
    #expect(fish.contains("adapter") && fish.contains("-rF"))
    #expect(
      try run.run(["--generate-completion-script", "fish"]).output
        .contains("complete -c vdsq-run -l adapter\n"))
  }
}
