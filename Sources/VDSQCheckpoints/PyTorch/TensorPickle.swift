import VDSQFormat

/// Reads the pickle of a PyTorch checkpoint as a dictionary of tensors, without executing anything.
///
/// The reader knows the globals that rebuild tensors, and ordered dictionaries. It refuses all
/// other globals, and operations that call anything else, by name.
struct TensorPickle {
  /// The description of a tensor in the pickle.
  struct Tensor {
    let type: SourceType?
    let storage: String
    /// The offset from the start of the storage, in elements.
    let offset: Int
    let shape: [Int]
    let strides: [Int]
  }

  private indirect enum Value {
    case none
    case mark
    case boolean(Bool)
    case integer(Int)
    case number
    case text(String)
    case tuple([Value])
    case list([Value])
    case dictionary(Dictionary)
    case global(String)
    case storage(type: SourceType?, key: String)
    case tensor(Tensor)
  }

  /// A class, because a dictionary is filled after it was stored in others.
  private final class Dictionary {
    var members: [(Value, Value)] = []
  }

  private static let types: [String: SourceType] = [
    "torch FloatStorage": .float32, "torch HalfStorage": .float16,
    "torch BFloat16Storage": .bfloat16, "torch DoubleStorage": .float64,
  ]
  private static let rebuild = "torch._utils _rebuild_tensor_v2"
  private static let rebuildParameter = "torch._utils _rebuild_parameter"
  private static let orderedDictionary = "collections OrderedDict"

  private let bytes: [UInt8]
  private let path: String
  private var position = 0
  private var stack: [Value] = []
  private var memo: [Int: Value] = [:]

  private static let mostValues = 1 << 22

  /// The tensors of a checkpoint by name. Names of nested dictionaries are joined with dots, as in
  /// `state_dict`.
  ///
  /// - Throws: `badInput` if the pickle is malformed, or does anything but describe tensors.
  static func tensors(in bytes: [UInt8], path: String) throws(VDSQError) -> [String: Tensor] {
    var pickle = TensorPickle(bytes: bytes, path: path)
    let value = try pickle.run()
    var tensors: [String: Tensor] = [:]
    try pickle.collect(value, "", &tensors, depth: 0)
    guard !tensors.isEmpty else { throw pickle.failure("no tensors in it") }
    return tensors
  }

  private init(bytes: [UInt8], path: String) {
    self.bytes = bytes
    self.path = path
  }

  private func failure(_ what: String) -> VDSQError {
    .badInput("\(path): pickle: \(what) (at byte \(position))")
  }

  private func collect(
    _ value: Value, _ prefix: String, _ tensors: inout [String: Tensor], depth: Int
  ) throws(VDSQError) {
    guard depth < 8 else { throw failure("dictionaries within dictionaries, too deeply") }
    switch value {
    case .tensor(let tensor):
      guard tensors.updateValue(tensor, forKey: prefix) == nil else {
        throw failure("the tensor \(prefix) is there twice")
      }
    case .dictionary(let dictionary):
      for (key, value) in dictionary.members {
        guard case .text(let name) = key else { continue }
        // Training checkpoints keep the tensors of the model in a nested dictionary.
        let isWrapper = prefix.isEmpty && ["state_dict", "model", "module"].contains(name)
        var isDictionary = false
        if case .dictionary = value { isDictionary = true }
        let own = isWrapper && isDictionary ? "" : prefix.isEmpty ? name : "\(prefix).\(name)"
        try collect(value, own, &tensors, depth: depth + 1)
      }
    default: break
    }
  }

  // MARK: Reading

  private mutating func byte() throws(VDSQError) -> UInt8 {
    guard position < bytes.count else { throw failure("it ends early") }
    defer { position += 1 }
    return bytes[position]
  }

  private mutating func take(_ count: Int) throws(VDSQError) -> ArraySlice<UInt8> {
    guard count >= 0, count <= bytes.count - position else { throw failure("it ends early") }
    defer { position += count }
    return bytes[position..<position + count]
  }

  private mutating func little(_ size: Int) throws(VDSQError) -> Int {
    let slice = try take(size)
    var value: UInt64 = 0
    for (i, byte) in slice.enumerated() where i < 8 { value |= UInt64(byte) << UInt64(8 * i) }
    guard value <= UInt64(Int.max) else { throw failure("a number out of range") }
    return Int(value)
  }

  private mutating func line() throws(VDSQError) -> String {
    guard let end = bytes[position...].firstIndex(of: 10) else { throw failure("it ends early") }
    defer { position = end + 1 }
    return String(decoding: bytes[position..<end], as: UTF8.self)
  }

  private mutating func pop() throws(VDSQError) -> Value {
    guard let value = stack.popLast() else { throw failure("an empty stack") }
    return value
  }

  private mutating func push(_ value: Value) throws(VDSQError) {
    guard stack.count < Self.mostValues else {
      throw failure("more values than any checkpoint has")
    }
    stack.append(value)
  }

  /// Pops the values since the last mark, and the mark.
  private mutating func sinceMark() throws(VDSQError) -> [Value] {
    var place = stack.count - 1
    while place >= 0 {
      if case .mark = stack[place] { break }
      place -= 1
    }
    guard place >= 0 else { throw failure("no mark on the stack") }
    let values = Array(stack[(place + 1)...])
    stack.removeLast(stack.count - place)
    return values
  }

  /// Interprets the operations and returns the final value.
  private mutating func run() throws(VDSQError) -> Value {
    while true {
      let operation = try byte()
      switch operation {
      case 0x80: _ = try byte()  // PROTO
      case 0x95: _ = try take(8)  // FRAME
      case UInt8(ascii: "."): return try pop()
      case UInt8(ascii: "("): try push(.mark)
      case UInt8(ascii: ")"): try push(.tuple([]))
      case UInt8(ascii: "]"): try push(.list([]))
      case UInt8(ascii: "}"): try push(.dictionary(Dictionary()))
      case UInt8(ascii: "N"): try push(.none)
      case 0x88: try push(.boolean(true))
      case 0x89: try push(.boolean(false))
      case UInt8(ascii: "K"): try push(.integer(Int(try byte())))
      case UInt8(ascii: "M"): try push(.integer(try little(2)))
      case UInt8(ascii: "J"):
        let value = try little(4)
        try push(.integer(Int(Int32(truncatingIfNeeded: value))))
      case 0x8A: try pushLong()
      case UInt8(ascii: "G"):
        _ = try take(8)
        try push(.number)
      case UInt8(ascii: "X"): try pushText(try little(4))
      case 0x8C: try pushText(Int(try byte()))
      case UInt8(ascii: "0"): _ = try pop()
      case UInt8(ascii: "2"):
        guard let last = stack.last else { throw failure("an empty stack") }
        try push(last)
      case UInt8(ascii: "t"): try push(.tuple(try sinceMark()))
      case UInt8(ascii: "l"): try push(.list(try sinceMark()))
      case 0x85, 0x86, 0x87: try pushTuple(Int(operation) - 0x84)
      case UInt8(ascii: "d"):
        let dictionary = Dictionary()
        try fill(dictionary, try sinceMark())
        try push(.dictionary(dictionary))
      case UInt8(ascii: "q"): try store(Int(try byte()))
      case UInt8(ascii: "r"): try store(try little(4))
      case 0x94: try store(memo.count)
      case UInt8(ascii: "h"): try recall(Int(try byte()))
      case UInt8(ascii: "j"): try recall(try little(4))
      case UInt8(ascii: "c"): try pushGlobal(try line(), try line())
      case 0x93:
        guard case .text(let name) = try pop(), case .text(let module) = try pop() else {
          throw failure("a global without a name")
        }
        try pushGlobal(module, name)
      case UInt8(ascii: "Q"): try pushStorage()
      case UInt8(ascii: "R"): try reduce()
      case UInt8(ascii: "b"):
        // The state of a dictionary or a tensor only adds attributes, which are not needed.
        _ = try pop()
      case UInt8(ascii: "s"):
        let value = try pop(), key = try pop()
        guard case .dictionary(let dictionary)? = stack.last else {
          throw failure("an item for what is no dictionary")
        }
        dictionary.members.append((key, value))
      case UInt8(ascii: "u"):
        let items = try sinceMark()
        guard case .dictionary(let dictionary)? = stack.last else {
          throw failure("items for what is no dictionary")
        }
        try fill(dictionary, items)
      case UInt8(ascii: "a"), UInt8(ascii: "e"):
        let added = operation == UInt8(ascii: "a") ? [try pop()] : try sinceMark()
        guard case .list(let list) = try pop() else { throw failure("items for what is no list") }
        try push(.list(list + added))
      default:
        throw failure("the operation \(operation) is not one that tensors need; it is not run")
      }
    }
  }

  private mutating func pushLong() throws(VDSQError) {
    let count = Int(try byte())
    guard count <= 8 else { throw failure("a number out of range") }
    let slice = try take(count)
    var value: UInt64 = 0
    for (i, byte) in slice.enumerated() { value |= UInt64(byte) << UInt64(8 * i) }
    if let last = slice.last, last >= 0x80, count < 8 { value |= ~0 << UInt64(8 * count) }
    try push(.integer(Int(bitPattern: UInt(value))))
  }

  private mutating func pushText(_ length: Int) throws(VDSQError) {
    try push(.text(String(decoding: try take(length), as: UTF8.self)))
  }

  private mutating func pushTuple(_ count: Int) throws(VDSQError) {
    guard stack.count >= count else { throw failure("an empty stack") }
    let values = Array(stack[(stack.count - count)...])
    stack.removeLast(count)
    try push(.tuple(values))
  }

  private func fill(_ dictionary: Dictionary, _ items: [Value]) throws(VDSQError) {
    guard items.count % 2 == 0 else { throw failure("a key without a value") }
    for i in stride(from: 0, to: items.count, by: 2) {
      dictionary.members.append((items[i], items[i + 1]))
    }
  }

  private mutating func store(_ index: Int) throws(VDSQError) {
    guard let last = stack.last, memo.count < Self.mostValues else {
      throw failure("nothing to remember")
    }
    memo[index] = last
  }

  private mutating func recall(_ index: Int) throws(VDSQError) {
    guard let value = memo[index] else { throw failure("a memory that was never made") }
    try push(value)
  }

  private mutating func pushGlobal(_ module: String, _ name: String) throws(VDSQError) {
    let full = "\(module) \(name)"
    let isStorage = module == "torch" && name.hasSuffix("Storage")
    guard
      isStorage || [Self.rebuild, Self.rebuildParameter, Self.orderedDictionary].contains(full)
    else {
      throw failure("it wants \(module).\(name), which no tensor needs; nothing of it is run")
    }
    try push(.global(full))
  }

  /// `("storage", type, key, location, count)`.
  private mutating func pushStorage() throws(VDSQError) {
    guard case .tuple(let parts) = try pop(), parts.count >= 5, case .text("storage") = parts[0],
      case .global(let type) = parts[1], case .text(let key) = parts[2]
    else { throw failure("a reference to what is no storage") }
    try push(.storage(type: Self.types[type], key: key))
  }

  private mutating func reduce() throws(VDSQError) {
    guard case .tuple(let arguments) = try pop(), case .global(let function) = try pop() else {
      throw failure("a call of what is no function")
    }
    switch function {
    case Self.orderedDictionary:
      let dictionary = Dictionary()
      if case .list(let items)? = arguments.first {
        for item in items {
          guard case .tuple(let pair) = item, pair.count == 2 else {
            throw failure("an item that is no pair")
          }
          dictionary.members.append((pair[0], pair[1]))
        }
      }
      try push(.dictionary(dictionary))
    case Self.rebuild:
      guard arguments.count >= 4, case .storage(let type, let key) = arguments[0],
        case .integer(let offset) = arguments[1], let shape = Self.sizes(arguments[2]),
        let strides = Self.sizes(arguments[3]), shape.count == strides.count
      else { throw failure("a tensor without storage, offset, shape or strides") }
      try push(
        .tensor(Tensor(type: type, storage: key, offset: offset, shape: shape, strides: strides)))
    case Self.rebuildParameter:
      guard let tensor = arguments.first, case .tensor = tensor else {
        throw failure("a parameter without a tensor")
      }
      try push(tensor)
    default: throw failure("a call of \(function)")
    }
  }

  private static func sizes(_ value: Value) -> [Int]? {
    guard case .tuple(let parts) = value, parts.count <= 8 else { return nil }
    var sizes: [Int] = []
    for part in parts {
      guard case .integer(let size) = part, size >= 0 else { return nil }
      sizes.append(size)
    }
    return sizes
  }
}
