package import VDSQFormat
package import VDSQInference
package import VDSQSemantics
package import VDSQStreams

/// The lenses of one or several texts with their tokens as text, for the output and the page of
/// `vdsq lens`.
///
/// The values of the first view stand beside the text, and those of further views in a member of
/// the view's name. Further texts stand in `compared`.
package struct LensReport: JSONValue {
  /// The texts; the first one is compared with the others.
  package let texts: [String]
  private let lenses: [Lens]
  private let model: String
  private let tracked: [Int32]
  private let token: (Int32) -> String

  /// - Parameters:
  ///   - model: the model's name.
  ///   - texts: at least one.
  /// - Throws: `badInput` if the model has no bases, or no LM head for its view, or fails.
  package init(
    _ texts: [String], encoder: TextEncoder, options: Lens.Options, model: String
  ) throws(VDSQError) {
    var lenses: [Lens] = []
    for text in texts {
      lenses.append(
        try Array(text.utf8).withBytes { (raw) throws(VDSQError) in
          try Lens(raw, encoder: encoder, options: options)
        })
    }
    self.texts = texts
    self.lenses = lenses
    self.model = model
    tracked = options.tracked
    token = { TokenText.shown(encoder.token($0)) }
  }

  /// The maximum number of bytes that the lenses take for each token of a text, with their states
  /// and what is written about them.
  ///
  /// - Parameters:
  ///   - hasTranslators: whether there is a tuned lens.
  ///   - texts: the number of texts.
  ///   - tracked: the number of tracked tokens.
  /// - Throws: `badInput` if the metadata of the model is invalid.
  package static func bytesPerToken(
    _ options: Lens.Options, hasTranslators: Bool, texts: Int, tracked: Int, of model: Container
  ) throws(VDSQError) -> Int {
    let architecture = try Architecture(model.metadata)
    let views = options.views?.count ?? (hasTranslators ? 3 : 2)
    let cell = 512 + 160 * options.top + 128 * tracked
    // States as the layers have them and as they are compared, of translations too.
    let copies = hasTranslators ? 4 : 2
    return copies * architecture.bytesOfStates + (architecture.layers + 1) * texts * views * cell
  }

  /// The views of a list such as `basis,logit`.
  ///
  /// - Throws: `usage` for an unknown name.
  package static func views(_ list: String) throws(VDSQError) -> [Lens.View] {
    var views: [Lens.View] = []
    for name in list.split(separator: ",") {
      guard let view = [Lens.View.basis, .logit, .tuned].first(where: { self.name($0) == name }),
        !views.contains(view)
      else { throw .usage("--lens \(list): write some of basis,logit,tuned") }
      views.append(view)
    }
    guard !views.isEmpty else { throw .usage("--lens: write some of basis,logit,tuned") }
    return views
  }

  private static func name(_ view: Lens.View) -> String {
    switch view {
    case .basis: "basis"
    case .logit: "logit"
    case .tuned: "tuned"
    }
  }

  package var json: String { JSONWriter.string { $0.write(self) } }

  package func write(to json: JSONWriter) {
    json.object {
      json.member("model", model)
      json.member("vocabulary", lenses[0].vocabularySize)
      json.key("lenses")
      json.array { for map in lenses[0].maps { json.write(Self.name(map.view)) } }
      json.key("tracked")
      json.array { for id in tracked { json.object { write(token: id, to: json) } } }
      writeMembers(of: 0, to: json)
      guard lenses.count > 1 else { return }
      json.key("compared")
      json.array {
        for index in 1..<lenses.count { json.object { writeMembers(of: index, to: json) } }
      }
    }
  }

  private func writeMembers(of index: Int, to json: JSONWriter) {
    let lens = lenses[index]
    json.member("text", texts[index])
    json.key("tokens")
    json.array { for id in lens.ids { json.object { write(token: id, to: json) } } }
    for (place, map) in lens.maps.enumerated() {
      if place == 0 {
        write(map, of: lens, to: json)
      } else {
        json.key(Self.name(map.view))
        json.object { write(map, of: lens, to: json) }
      }
    }
  }

  private func write(_ map: Lens.Map, of lens: Lens, to json: JSONWriter) {
    json.key("layers")
    json.array {
      for (layer, cells) in map.cells.enumerated() {
        json.object {
          json.member("layer", layer)
          json.key("positions")
          json.array {
            for (position, cell) in cells.enumerated() {
              write(cell, map.view, lens.similarities[layer][position], to: json)
            }
          }
        }
      }
    }
    json.key("final")
    json.array {
      for (position, first) in map.firstLayers.enumerated() {
        json.object {
          write(token: map.cells.last![position].top[0].id, to: json)
          json.member("first_layer", first)
        }
      }
    }
  }

  private func write(token id: Int32, to json: JSONWriter) {
    json.member("id", id)
    json.member("token", token(id))
  }

  private func write(
    _ cell: Lens.Cell, _ view: Lens.View, _ similarity: Float?, to json: JSONWriter
  ) {
    json.object {
      json.key("top")
      json.array {
        for result in cell.top {
          json.object {
            write(token: result.id, to: json)
            json.member(view == .basis ? "cosine" : "logit", result.value, decimals: 6)
            json.member("probability", result.probability, decimals: 9)
          }
        }
      }
      if let similarity {
        json.member("similarity", similarity, decimals: 6)
      } else {
        json.member("similarity", Int?.none)
      }
      json.member("rank_of_final", cell.final.rank)
      json.member("probability_of_final", cell.final.probability, decimals: 9)
      json.member("entropy", cell.entropy, decimals: 4)
      json.member("divergence", cell.divergence, decimals: 4)
      guard !cell.tracked.isEmpty else { return }
      json.key("tracked")
      json.array {
        for place in cell.tracked {
          json.object {
            json.member("rank", place.rank)
            json.member("probability", place.probability, decimals: 9)
          }
        }
      }
    }
  }
}
