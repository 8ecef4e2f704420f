public import CVDSQ
import VDSQ

/// A generator of texts.
final class GeneratorHandle: Handle, @unchecked Sendable {
  override class var kind: String { "a generator" }

  let generator: TextGenerator

  init(
    _ model: OpaquePointer?, _ options: UnsafePointer<vdsq_run_options>?
  ) throws(VDSQError) {
    generator = try TextGenerator(
      model: try ModelHandle.find(model).model, options: try RunOptions(options))
  }

  /// Generates text behind a prompt, and tells a caller about it.
  func generate(
    _ prompt: UnsafeRawBufferPointer, isChat: Bool,
    _ options: UnsafePointer<vdsq_generation_options>?, _ receive: vdsq_text_callback?,
    _ context: UnsafeMutableRawPointer?, _ result: UnsafeMutablePointer<vdsq_generated>?
  ) throws(VDSQError) {
    // A result that cannot be written is refused before the work.
    if let result { try Sized.write(result.pointee, to: result, "vdsq_generated") }
    let session = try TextGenerator.Session(generator, options: try GenerationOptions(options))
    defer { session.end() }
    let text = try session.generate(prompt, isChat: isChat) { (part) throws(VDSQError) in
      guard let receive else { return true }
      return Array(part).withUnsafeBytes { bytes in
        receive(bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count, context) == 0
      }
    }
    guard let result else { return }
    var generated = vdsq_generated()
    generated.finish = text.finish.number
    generated.prompt_tokens = UInt32(text.promptTokens)
    generated.tokens = UInt32(text.tokens)
    generated.log_probability = text.logProbability
    try Sized.write(generated, to: result, "vdsq_generated")
  }
}

extension GeneratedText.Finish {
  /// Its number in the interface.
  fileprivate var number: UInt32 {
    switch self {
    case .end: UInt32(VDSQ_FINISH_END)
    case .stop: UInt32(VDSQ_FINISH_STOP)
    case .complete: UInt32(VDSQ_FINISH_COMPLETE)
    case .length: UInt32(VDSQ_FINISH_LENGTH)
    }
  }
}

@c @implementation
public func vdsq_generator_open(
  _ model: OpaquePointer!, _ options: UnsafePointer<vdsq_run_options>!,
  _ generator: UnsafeMutablePointer<OpaquePointer?>!
) -> vdsq_status {
  Handle.open(generator) { () throws(VDSQError) in try GeneratorHandle(model, options) }
}

@c @implementation
public func vdsq_generator_close(_ generator: OpaquePointer!) { GeneratorHandle.close(generator) }

@c @implementation
public func vdsq_generate(
  _ generator: OpaquePointer!, _ prompt: UnsafePointer<CChar>!, _ length: Int,
  _ options: UnsafePointer<vdsq_generation_options>!, _ receive: vdsq_text_callback!,
  _ context: UnsafeMutableRawPointer!, _ generated: UnsafeMutablePointer<vdsq_generated>!
) -> vdsq_status {
  call { () throws(VDSQError) in
    let generator = try GeneratorHandle.find(generator)
    try generator.generate(
      try Texts.one(prompt, length, "prompt"), isChat: false, options, receive, context, generated)
  }
}

@c @implementation
public func vdsq_generate_answer(
  _ generator: OpaquePointer!, _ messages: UnsafePointer<vdsq_message>!, _ count: Int,
  _ options: UnsafePointer<vdsq_generation_options>!, _ receive: vdsq_text_callback!,
  _ context: UnsafeMutableRawPointer!, _ generated: UnsafeMutablePointer<vdsq_generated>!
) -> vdsq_status {
  call { () throws(VDSQError) in
    let generator = try GeneratorHandle.find(generator)
    guard count > 0, let messages else { throw .usage("messages: a chat has at least one") }
    var chat: [ChatMessage] = []
    for index in 0..<count { chat.append(try ChatMessage(messages[index], index)) }
    try generator.generator.text(of: chat).withBytes { (prompt) throws(VDSQError) in
      try generator.generate(prompt, isChat: true, options, receive, context, generated)
    }
  }
}
