package import VDSQSemantics
package import VDSQStreams

/// A lens with its tokens as text, for the output and the page of `vdsq lens`.
package struct LensReport: JSONValue {
  let lens: Lens
  let model: String
  let text: String
  let token: (Int32) -> String

  /// - Parameters:
  ///   - model: the model's name.
  ///   - text: the text of the lens.
  ///   - token: returns the text of a token's id.
  package init(lens: Lens, model: String, text: String, token: @escaping (Int32) -> String) {
    self.lens = lens
    self.model = model
    self.text = text
    self.token = token
  }

  package var json: String { JSONWriter.string { $0.write(self) } }

  package func write(to json: JSONWriter) {
    json.object {
      json.member("model", model)
      json.member("text", text)
      json.key("tokens")
      json.array {
        for id in lens.ids { json.object { write(token: id, to: json) } }
      }
      json.key("layers")
      json.array {
        for (layer, cells) in lens.cells.enumerated() {
          json.object {
            json.member("layer", layer)
            json.key("positions")
            json.array { for cell in cells { write(cell, to: json) } }
          }
        }
      }
      json.key("final")
      json.array {
        for (position, first) in lens.firstLayers.enumerated() {
          json.object {
            write(token: lens.cells.last![position].top[0].id, to: json)
            json.member("first_layer", first)
          }
        }
      }
    }
  }

  private func write(token id: Int32, to json: JSONWriter) {
    json.member("id", id)
    json.member("token", token(id))
  }

  private func write(_ cell: Lens.Cell, to json: JSONWriter) {
    json.object {
      json.key("top")
      json.array {
        for result in cell.top {
          json.object {
            write(token: result.id, to: json)
            json.member("cosine", result.value, decimals: 6)
            json.member("probability", result.probability, decimals: 9)
          }
        }
      }
      if let similarity = cell.similarity {
        json.member("similarity", similarity, decimals: 6)
      } else {
        json.member("similarity", Int?.none)
      }
      json.member("rank_of_final", cell.rankOfFinal)
    }
  }
}
