public import Foundation

/// A GGUF file whose metadata and tensors a test may change: an independent reader and writer of
/// version 3, for well-formed files.
public struct GGUFEditor {
  /// A metadata value.
  public enum Value: Sendable {
    case uint32(UInt32)
    case uint16(UInt16)
    case int32(Int32)
    case float(Float)
    case bool(Bool)
    case text(String)
    case texts([String])
    case uint32s([UInt32])
    case int32s([Int32])
    case floats([Float])
    case bools([Bool])
    case bytes([UInt8])
  }

  /// A tensor's name, its dimensions as the file has them, its type and its data.
  public struct Tensor {
    public var name: String
    public var dimensions: [UInt64]
    public var type: UInt32
    public var data: Data

    public init(name: String, dimensions: [UInt64], type: UInt32, data: Data) {
      (self.name, self.dimensions, self.type, self.data) = (name, dimensions, type, data)
    }
  }

  /// Keys in the order of the file, each with its type and its value.
  public private(set) var entries: [(key: String, value: Data)] = []
  public var tensors: [Tensor] = []

  public init(_ file: Data) {
    var position = 8
    func number<T: FixedWidthInteger>(_: T.Type) -> T {
      defer { position += MemoryLayout<T>.size }
      return file[position..<position + MemoryLayout<T>.size].reversed().reduce(0) {
        $0 << 8 | T(truncatingIfNeeded: $1)
      }
    }
    func text() -> String {
      let count = Int(number(UInt64.self))
      defer { position += count }
      return String(decoding: file[position..<position + count], as: UTF8.self)
    }
    func skip(_ type: UInt32) {
      switch type {
      case 0, 1, 7: position += 1
      case 2, 3: position += 2
      case 4, 5, 6: position += 4
      case 8: _ = text()
      case 9:
        let element = number(UInt32.self)
        for _ in 0..<number(UInt64.self) { skip(element) }
      default: position += 8
      }
    }
    let count = number(UInt64.self), keys = number(UInt64.self)
    for _ in 0..<keys {
      let key = text()
      let start = position
      skip(number(UInt32.self))
      entries.append((key, Data(file[start..<position])))
    }
    var offsets: [Int] = []
    for _ in 0..<count {
      let name = text()
      let dimensions = (0..<number(UInt32.self)).map { _ in number(UInt64.self) }
      tensors.append(
        Tensor(name: name, dimensions: dimensions, type: number(UInt32.self), data: Data()))
      offsets.append(Int(number(UInt64.self)))
    }
    let start = (position + 31) / 32 * 32
    for index in tensors.indices {
      let end = offsets.filter { $0 > offsets[index] }.min() ?? file.count - start
      tensors[index].data = Data(file[start + offsets[index]..<start + end])
    }
  }

  /// Sets a key, or removes it.
  public subscript(_ key: String) -> Value? {
    get { nil }
    set {
      let index = entries.firstIndex { Array($0.key.utf8) == Array(key.utf8) }
      guard let newValue else {
        if let index { entries.remove(at: index) }
        return
      }
      let data = Self.encode(newValue)
      if let index { entries[index].value = data } else { entries.append((key, data)) }
    }
  }

  /// The file.
  public var data: Data {
    var out = Data("GGUF".utf8)
    Self.append(UInt32(3), to: &out)
    Self.append(UInt64(tensors.count), to: &out)
    Self.append(UInt64(entries.count), to: &out)
    for (key, value) in entries {
      Self.append(key, to: &out)
      out.append(value)
    }
    var offset: UInt64 = 0
    for tensor in tensors {
      Self.append(tensor.name, to: &out)
      Self.append(UInt32(tensor.dimensions.count), to: &out)
      for size in tensor.dimensions { Self.append(size, to: &out) }
      Self.append(tensor.type, to: &out)
      Self.append(offset, to: &out)
      offset += UInt64((tensor.data.count + 31) / 32 * 32)
    }
    out.append(Data(count: (32 - out.count % 32) % 32))
    for tensor in tensors {
      out.append(tensor.data)
      out.append(Data(count: (32 - tensor.data.count % 32) % 32))
    }
    return out
  }

  private static func append(_ number: some FixedWidthInteger, to out: inout Data) {
    withUnsafeBytes(of: number.littleEndian) { out.append(contentsOf: $0) }
  }

  private static func append(_ text: String, to out: inout Data) {
    append(UInt64(text.utf8.count), to: &out)
    out.append(contentsOf: text.utf8)
  }

  private static func encode(_ value: Value) -> Data {
    var out = Data()
    func type(_ number: UInt32) { append(number, to: &out) }
    func array(_ element: UInt32, _ count: Int) {
      type(9)
      type(element)
      append(UInt64(count), to: &out)
    }
    switch value {
    case .uint16(let n):
      type(2)
      append(n, to: &out)
    case .uint32(let n):
      type(4)
      append(n, to: &out)
    case .int32(let n):
      type(5)
      append(n, to: &out)
    case .float(let x):
      type(6)
      append(x.bitPattern, to: &out)
    case .bool(let flag):
      type(7)
      append(UInt8(flag ? 1 : 0), to: &out)
    case .text(let text):
      type(8)
      append(text, to: &out)
    case .bytes(let bytes):
      array(0, bytes.count)
      out.append(contentsOf: bytes)
    case .texts(let texts):
      array(8, texts.count)
      for text in texts { append(text, to: &out) }
    case .uint32s(let numbers):
      array(4, numbers.count)
      for n in numbers { append(n, to: &out) }
    case .int32s(let numbers):
      array(5, numbers.count)
      for n in numbers { append(n, to: &out) }
    case .floats(let numbers):
      array(6, numbers.count)
      for x in numbers { append(x.bitPattern, to: &out) }
    case .bools(let flags):
      array(7, flags.count)
      for flag in flags { append(UInt8(flag ? 1 : 0), to: &out) }
    }
    return out
  }
}
