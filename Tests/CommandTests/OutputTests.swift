import Foundation
import TestSupport
import Testing

/// What commands write, and where: every failure to write is an error, nobody writes to what is
/// read, and files that are replaced keep what they are.
@Suite struct OutputTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    for (name, fixture) in [("m", "bert-mean"), ("g", "language-models/gpt2")] {
      let result = try Program("vdsq").run(
        ["convert", Fixtures.path(fixture), "-o", folder.path("\(name).vdsq"), "-q"])
      #expect(result.status == 0, "\(result.errors)")
    }
    let examples = (0..<6).map {
      #"{"text": "hello \#($0)", "label": "\#($0 % 2 == 0 ? "a" : "b")"}"#
    }
    _ = try folder.write(Data((examples.joined(separator: "\n") + "\n").utf8), to: "examples")
    _ = try folder.write(Data("hello\n".utf8), to: "texts")
    let pairs = ["agreement", "islands"].map {
      #"{"good": "hello world", "bad": "world hello", "task": "\#($0)"}"#
    }
    _ = try folder.write(Data((pairs.joined(separator: "\n") + "\n").utf8), to: "pairs")
    _ = try folder.write(Data(#"{"prompt": "hello", "answer": " world"}"#.utf8), to: "fixes")
    let chat = try Program("vdsq").run(
      ["convert", try ChatCheckpoint.write(in: folder), "-o", folder.path("c.vdsq"), "-q"])
    #expect(chat.status == 0, "\(chat.errors)")
    _ = try folder.write(Data("hello\nhello world\n".utf8), to: "lines")
    for (name, head) in [("r", "ranking"), ("t", "tags-bert")] {
      let result = try Program("vdsq").run(
        [
          "convert", try HeadFixture.named(head).write(in: folder), "-o",
          folder.path("\(name).vdsq"), "-q",
        ])
      #expect(result.status == 0, "\(result.errors)")
    }
  }

  private func shell(_ script: String) throws -> Program.Result {
    try Shell.run(script, in: folder.url)
  }

  /// A use of every command that writes to standard output.
  private static let uses: [String: String] = [
    "convert": "convert \(Fixtures.path("bert-mean")) -o new.vdsq",
    "bases": "bases g.vdsq -o new.vdsq -q",
    "inspect": "inspect m.vdsq", "classify": "classify m.vdsq --labels a,b < texts",
    "plan": "plan m.vdsq", "adapt": "adapt m.vdsq examples -o new.vdsa",
    "learn": "learn m.vdsq new.vdsa --labels a,b --label a < texts",
    "embed": "embed m.vdsq < texts", "logits": "logits g.vdsq < texts",
    "lens": "lens g.vdsq hello --json",
    "tune-lens": "tune-lens g.vdsq lines -o new.vdsl -q",
    "bench": "bench m.vdsq --tokens 4 --seconds 0.01",
    "verify": "verify m.vdsq --against \(Fixtures.path("bert-mean"))",
    "diff": "diff m.vdsq m.vdsq", "eval": "eval m.vdsq --test examples --labels a,b",
    "rerank": "rerank r.vdsq hello < texts", "tag": "tag t.vdsq --aggregation none < lines",
    "score": "score g.vdsq < texts", "generate": "generate g.vdsq hello --max-tokens 4",
    "review": "review m.vdsq examples --minimum 0",
    "categories": "categories m.vdsq examples",
    "direction": "direction g.vdsq lines --method pca --count 1 -o new.vdsd",
    "pairs": "pairs g.vdsq pairs -q", "tasks": "tasks g.vdsq pairs -q",
    "repair": "repair g.vdsq fixes -o new.vdsa -q",
    "verbalize": "verbalize c.vdsq examples --epochs 0 -q",
  ]

  /// An output that is there is refused before the work, of which a missing input is the first
  /// fault.
  @Test(arguments: [
    "adapt none none -o old", "bases none -o old", "bases none -o new --npy old",
    "convert none -o old", "convert none -o new --report old", "embed none -o old",
    "eval none --test none --report old", "eval none --test none --predictions old",
    "inspect none --tensor x -o old", "lens none hello -o old",
    "logits none --scores-out old", "tune-lens none none -o old", "pairs none none --report old",
    "repair none none -o old", "repair none none -o new --report old",
    "tasks none none --report old", "verbalize none none -o old",
  ])
  func whatIsThereIsRefusedFirst(_ use: String) throws {
    let result = try shell("touch old; $vdsq \(use) < texts")
    #expect(
      result.status == 64 && result.errors.contains("old: the file exists; --force"), "\(result)")
    let forced = try shell("touch old; $vdsq \(use) --force < texts")
    #expect(forced.status != 0 && !forced.errors.contains("the file exists"), "\(forced)")
  }

  @Test func aFullDeviceIsAnErrorOfEveryCommand() throws {
    let help = try shell("$vdsq --help").output
    let list = try #require(help.components(separatedBy: "SUBCOMMANDS:\n").last)
    let names = list.components(separatedBy: "\n").filter {
      $0.hasPrefix("  ") && $0.dropFirst(2).first?.isLowercase == true
    }.map { String($0.split(separator: " ")[0]) }
    #expect(names.count >= 16)
    // serve becomes another program.
    for name in names where name != "serve" {
      let use = try #require(Self.uses[name], "no use of \(name) is tested")
      let result = try shell("rm -f new.*; $vdsq \(use) > /dev/full")
      #expect(result.status == 70, "\(name): \(result.errors)")
      let lines = result.errors.split(separator: "\n")
      #expect(
        lines.last == "vdsq: the output cannot be written: No space left on device", "\(name)")
    }
    for use in ["--help", "--version", "classify --help", "--generate-completion-script bash"] {
      let result = try shell("$vdsq \(use) > /dev/full")
      #expect(result.status == 70 && result.errors.contains("No space left on device"), "\(use)")
    }
    for use in ["--help", "m.vdsq --labels a,b < texts"] {
      let result = try shell("$run \(use) > /dev/full")
      #expect(result.status == 70 && result.errors.contains("No space left on device"), "\(use)")
    }
  }

  @Test func closedDescriptorsAreNoFiles() throws {
    for use in [
      "$vdsq classify m.vdsq --labels a,b", "$vdsq embed m.vdsq", "$run m.vdsq --labels a,b",
    ] {
      let result = try shell("\(use) <&-")
      #expect(result.status == 0 && result.output.isEmpty, "\(use): \(result.errors)")
    }
    // What is written last must not go into the file that was opened first.
    let before = try Data(contentsOf: folder.url.appendingPathComponent("m.vdsq"))
    let result = try shell(
      "$vdsq convert \(Fixtures.path("bert-mean")) -o new.vdsq <&- >&- 2>&-")
    #expect(result.status == 0)
    let new = try Data(contentsOf: folder.url.appendingPathComponent("new.vdsq"))
    #expect(new == before)
    #expect(try shell("$vdsq nonsense <&- >&- 2>&-").status == 64)
  }

  @Test func aClosedPipeEndsQuietly() throws {
    let result = try shell(
      "yes hello | head -5000 | $vdsq embed m.vdsq | head -1 > /dev/null; echo ${PIPESTATUS[2]}")
    #expect(result.output == "141\n" && result.errors.isEmpty)
  }

  @Test(arguments: [
    "$vdsq embed m.vdsq -o m.vdsq < texts", "$vdsq embed m.vdsq -o link < texts",
    "$vdsq embed m.vdsq -o hard < texts", "$vdsq embed m.vdsq -o texts < texts",
    "$vdsq adapt m.vdsq examples -o examples", "$vdsq lens g.vdsq hi -o g.vdsq",
    "$vdsq bases g.vdsq -o g.vdsq", "$vdsq convert f -o f/config.json",
    "$vdsq convert f/model.safetensors -o f/model.safetensors",
    "$vdsq convert f -o new.vdsq --report new.vdsq",
    "$vdsq eval m.vdsq --test examples --labels a,b --report examples",
    "$vdsq inspect m.vdsq --tensor embeddings.word -o m.vdsq",
    "$vdsq embed m.vdsq -o o.npy < texts >> o.npy",
  ])
  func anInputIsNoOutput(_ use: String) throws {
    let result = try shell(
      """
      cp -r \(Fixtures.path("bert-mean")) f; ln -s m.vdsq link; ln m.vdsq hard; echo > o.npy
      find . -type f | sort | xargs cksum > /tmp/before.$$
      \(use.replacingOccurrences(of: " < ", with: " --force < "))\
      \(use.contains("<") ? "" : " --force")
      status=$?; find . -type f | sort | xargs cksum | cmp - /tmp/before.$$ || status=1
      rm /tmp/before.$$; exit $status
      """)
    #expect(result.status == 64, "\(use): \(result.errors)")
    #expect(
      result.errors.contains("this file is also") || result.errors.contains("two outputs"),
      "\(result.errors)")
  }

  @Test func answersAreNoTexts() throws {
    for use in [
      "$vdsq classify m.vdsq --labels a,b", "$vdsq embed m.vdsq", "$run m.vdsq --labels a,b",
    ] {
      let result = try shell("\(use) < texts >> texts")
      #expect(result.status == 64 && result.errors.contains("standard output"), "\(use)")
    }
    #expect(try shell("$vdsq inspect m.vdsq >> m.vdsq").status == 64)
    #expect(try shell("cat texts").output == "hello\n")
  }

  @Test func whatIsReplacedKeepsModeAndLink() throws {
    let result = try shell(
      """
      umask 022; set -e
      $vdsq learn m.vdsq a.vdsa --labels x,y --label x -q < texts
      chmod 640 a.vdsa; mkdir real; mv a.vdsa real; ln -s real/a.vdsa a.vdsa; ln -s a.vdsa b.vdsa
      $vdsq learn m.vdsq b.vdsa --label y -q < texts
      stat -c '%a %F' real/a.vdsa a.vdsa b.vdsa
      ls -A real
      $vdsq embed m.vdsq -o new.npy < texts; stat -c %a new.npy
      chmod 400 new.npy; $vdsq embed m.vdsq -o new.npy --force < texts; stat -c %a new.npy
      ln -s nowhere.npy dangling; $vdsq embed m.vdsq -o dangling --force < texts
      stat -c '%a %F' nowhere.npy dangling
      ln -s /dev/null device; ! $vdsq embed m.vdsq -o device --force < texts; stat -c %F device
      """)
    #expect(result.errors == "vdsq: device: this is not a regular file\n")
    #expect(
      result.lines == [
        "640 regular file", "777 symbolic link", "777 symbolic link", "a.vdsa", "644", "400",
        "644 regular file", "777 symbolic link", "symbolic link",
      ])
  }

  /// Whether tests may hide `/proc` from a program.
  private static var canHideProc: Bool {
    let result = try? Shell.run(
      "unshare -rm umount -l /proc", in: FileManager.default.temporaryDirectory)
    return result?.status == 0
  }

  @Test(.enabled(if: canHideProc)) func argumentsAndOutputsNeedNoProc() throws {
    func hidden(_ script: String) throws -> Program.Result {
      try shell("unshare -rm bash -c 'umount -l /proc; \(script)'")
    }
    let answers = try hidden("$run m.vdsq --labels a,b < texts")
    #expect(answers.status == 0 && answers.lines.count == 1)
    #expect(try hidden("$vdsq classify m.vdsq --labels a,b < texts").output == answers.output)
    let result = try hidden("$vdsq embed m.vdsq -o new.npy < texts; ls -A")
    #expect(
      result.errors.isEmpty && result.lines == ["examples", "g.vdsq", "m.vdsq", "new.npy", "texts"])
    for use in [
      "$vdsq plan m.vdsq", "$vdsq classify m.vdsq --labels a --memory-budget 64M < texts",
      "$vdsq bench m.vdsq --seconds 0.1", "$run m.vdsq --labels a --memory-budget 64M < texts",
      "$vdsq convert \(Fixtures.path("bert-mean")) -o new.vdsq --memory-budget 900M",
    ] {
      let result = try hidden(use)
      #expect(result.status == 70 && result.errors.contains("/proc/self"), "\(use) \(result)")
    }
    // Without /proc the file has a name while it is written; signals remove it.
    let killed = try hidden(
      """
      mkfifo more; $vdsq embed m.vdsq -o late.npy < more & exec 9> more; echo hello >&9
      for i in $(seq 100); do ls -A | grep -q ^.late && break; sleep 0.1; done
      ls -A | grep -c ^.late; kill -TERM $!; wait $!; echo $?; ls -A | grep -c ^.late
      """)
    #expect(killed.lines == ["1", "143", "0"], "\(killed)")
  }
}
