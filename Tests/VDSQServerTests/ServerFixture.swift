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

  /// - Parameter models: names with checkpoints, or heads of `HeadFixture` (`head:NAME`).
  init(
    _ models: KeyValuePairs<String, String> = ["base": "bert-mean"],
    configure: (inout ServerOptions) -> Void = { _ in }
  ) throws {
    var options = ServerOptions()
    for (name, checkpoint) in models {
      let input =
        checkpoint.hasPrefix("head:")
        ? try HeadFixture.named(String(checkpoint.dropFirst(5))).write(in: folder)
        : Fixtures.path(checkpoint)
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
