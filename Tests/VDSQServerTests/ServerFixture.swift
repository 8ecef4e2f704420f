import Foundation
import Logging
import NIOHTTP1
import TestSupport
import VDSQConversion
import VDSQInference
import VDSQServer

/// A server over converted fixtures, which is asked without sockets.
final class ServerFixture: @unchecked Sendable {
  struct Answer {
    let status: Int
    let headers: [String: String]
    let body: Data

    var json: Any {
      (try? JSONSerialization.jsonObject(with: body, options: .fragmentsAllowed)) ?? ""
    }
    var object: [String: Any] { json as? [String: Any] ?? [:] }
    var text: String { String(decoding: body, as: UTF8.self) }
    /// The message of a failure, of any form.
    var error: String {
      object["error"] as? String ?? (object["error"] as? [String: Any])?["message"] as? String ?? ""
    }
  }

  let folder = try! TemporaryFolder()
  private let server: Server

  /// - Parameter models: names with checkpoints, heads of `HeadFixture` (`head:NAME`), or language
  ///   models with a chat template (`chat:NAME`).
  init(
    _ models: KeyValuePairs<String, String> = ["base": "bert-mean"],
    configure: (inout ServerOptions) -> Void = { _ in }
  ) throws {
    var options = ServerOptions()
    for (name, checkpoint) in models {
      let parts = checkpoint.split(separator: ":").map(String.init)
      let input =
        switch parts[0] {
        case "head": try HeadFixture.named(parts[1]).write(in: folder)
        case "chat": try Self.languageModel(parts[1], in: folder)
        default: Fixtures.path(checkpoint)
        }
      var conversion = Converter.Options(weights: .fp32)
      conversion.bases = nil
      _ = try Converter(folder: input, options: conversion).write(
        to: folder.path("\(name).vdsq"), replace: false, progress: Progress(total: 1) { _ in })
      options.models.append(ServerOptions.Source(name: name, path: folder.path("\(name).vdsq")))
    }
    options.stateDirectory = folder.path("state")
    configure(&options)
    server = try Server(options, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    server.start()
  }

  /// A checkpoint that reads chats as lines of roles with their messages.
  private static func languageModel(
    _ name: String, in folder: TemporaryFolder
  ) throws -> String {
    let copy = try folder.copy(ofFixture: "language-models/\(name)", as: name)
    let template =
      "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
      + "{% if add_generation_prompt %}assistant:{% endif %}"
    try Data(template.utf8).write(to: URL(fileURLWithPath: "\(copy)/chat_template.jinja"))
    return copy
  }

  deinit { server.stop() }

  func ask(
    _ method: HTTPMethod, _ path: String, _ body: String? = nil, headers: [String: String] = [:]
  ) async -> Answer {
    var all = HTTPHeaders()
    if body != nil { all.add(name: "content-type", value: "application/json") }
    for (name, value) in headers { all.replaceOrAdd(name: name, value: value) }
    let head = HTTPRequestHead(version: .http1_1, method: method, uri: path, headers: all)
    let answer = await server.answer(HTTPRequest(head, body: Array((body ?? "").utf8)))
    return Answer(
      status: answer.status,
      headers: Dictionary(answer.headers.map { ($0.name, $0.value) }) { $1 },
      body: Data(answer.body))
  }

  func post(_ path: String, _ value: Any) async -> Answer {
    let body = try! JSONSerialization.data(withJSONObject: value)
    return await ask(.POST, path, String(decoding: body, as: UTF8.self))
  }

  func put(_ path: String, _ value: Any) async -> Answer {
    let body = try! JSONSerialization.data(withJSONObject: value)
    return await ask(.PUT, path, String(decoding: body, as: UTF8.self))
  }
}

/// Numbers of JSON.
func floats(_ json: Any?) -> [Float] { (json as? [NSNumber] ?? []).map(\.floatValue) }
