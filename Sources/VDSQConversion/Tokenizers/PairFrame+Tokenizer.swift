import VDSQCheckpoints
import VDSQFormat

extension PairFrame {
  /// The pair template of a `tokenizer.json`.
  ///
  /// - Parameters:
  ///   - hasTypes: whether the model gets token types.
  ///   - path: the file, for error messages.
  /// - Throws: `badInput` if a token is unknown, or the template is of another kind than special
  ///   tokens around a first and a second text.
  init(_ tokenizer: JSON, hasTypes: Bool, path: String) throws(VDSQError) {
    self.init()
    var pieces: [(text: String, type: Int)] = [("A", 0), ("B", 1)]
    // The place of the two texts in the pieces.
    var (first, second) = (0, 1)
    func named(_ processor: JSON, _ key: String) throws(VDSQError) -> String {
      guard let name = processor[key]?.elements?.first?.text else {
        throw .badInput("\(path): post_processor: \(key) is missing")
      }
      return name
    }
    for processor in tokenizer.postProcessors {
      switch processor["type"]?.text {
      case "BertProcessing":
        let (cls, sep) = (try named(processor, "cls"), try named(processor, "sep"))
        pieces = [(cls, 0), ("", 0), (sep, 0), ("", 1), (sep, 1)]
        (first, second) = (1, 3)
      case "RobertaProcessing":
        let (cls, sep) = (try named(processor, "cls"), try named(processor, "sep"))
        pieces = [(cls, 0), ("", 0), (sep, 0), (sep, 0), ("", 0), (sep, 0)]
        (first, second) = (1, 4)
      case "TemplateProcessing":
        (pieces, first, second) = ([], -1, -1)
        for piece in processor["pair"]?.elements ?? [] {
          if let text = piece["Sequence"] {
            if text["id"]?.text == "A" { first = pieces.count } else { second = pieces.count }
            pieces.append(("", text["type_id"]?.integer ?? 0))
          } else if let token = piece["SpecialToken"] {
            pieces.append((token["id"]?.text ?? "", token["type_id"]?.integer ?? 0))
          }
        }
      // The conversion of the tokenizer refuses it.
      default: continue
      }
    }
    guard first >= 0, second > first else {
      throw .badInput(
        "\(path): post_processor: the template of pairs has not a first and a second text")
    }
    let ids = tokenizer.ids(of: Set(pieces.map(\.text)))
    for (i, piece) in pieces.enumerated() where i != first && i != second {
      guard let id = ids[piece.text] else {
        throw .badInput("\(path): post_processor: the token \(piece.text) is not in the vocabulary")
      }
      if i < first {
        before.append(Int32(id))
      } else if i < second {
        between.append(Int32(id))
      } else {
        after.append(Int32(id))
      }
    }
    guard hasTypes else { return }
    secondType = pieces[second].type
    guard (0...1).contains(secondType), pieces[..<second].allSatisfy({ $0.type == 0 }),
      pieces[second...].allSatisfy({ $0.type == secondType })
    else {
      throw .badInput(
        "\(path): post_processor: pairs have other token types than 0 up to the second text and "
          + "the same from it on")
    }
  }
}
