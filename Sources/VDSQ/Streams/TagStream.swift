package import VDSQFormat
import VDSQStreams

/// Tags the records of a stream and writes their entities, in constant memory: a JSON object per
/// text, or a line per entity.
package final class TagStream {
  /// The names of the members of an answer's JSON.
  package static let members: [StaticString] = ["entities", "tokens", "truncated"]

  private let records: RecordStream
  private let tagger: TextTagger
  private let aggregation: EntityAggregation
  private let isJSON: Bool

  package init(
    _ records: RecordStream, tagger: TextTagger, aggregation: EntityAggregation, isJSON: Bool
  ) {
    (self.records, self.tagger) = (records, tagger)
    (self.aggregation, self.isJSON) = (aggregation, isJSON)
  }

  /// Answers all records.
  ///
  /// - Throws: what `RecordStream.forEach` throws; `badInput` if the model's weights cannot be
  ///   read.
  package func run() throws(VDSQError) {
    try records.forEach(
      { (record) throws(VDSQError) in
        let (entities, tokens, isCut) = try tagger.tag(record.text, by: aggregation)
        records.counts.tokens += tokens
        if isCut || record.isCut { records.counts.truncated += 1 }
        records.tags.add(record)
        if isJSON {
          writeJSON(entities, record, tokens, isCut || record.isCut)
        } else {
          writePlain(entities, record)
        }
        records.tags.removeAll()
        try records.output.flushIfLong()
      }, pause: { () throws(VDSQError) in try records.output.flush() })
  }

  /// `line<TAB>start<TAB>end<TAB>label<TAB>score<TAB>text` for each entity, with places in scalars.
  private func writePlain(_ entities: [Entity], _ record: TextRecord) {
    let output = records.output
    for entity in entities {
      output.write(record.line)
      output.write("\t")
      output.write(entity.characters.lowerBound)
      output.write("\t")
      output.write(entity.characters.upperBound)
      output.write("\t")
      output.write(entity.label)
      output.write("\t")
      output.write(entity.score, decimals: 4)
      output.write("\t")
      output.writeColumn(UnsafeRawBufferPointer(rebasing: record.text[entity.bytes]))
      records.tags.writeColumns(of: 0, to: output)
      output.write("\n")
    }
  }

  private func writeJSON(
    _ entities: [Entity], _ record: TextRecord, _ tokens: Int, _ isTruncated: Bool
  ) {
    let json = records.json
    json.object {
      records.tags.writeMembers(of: 0, to: json)
      json.key("entities")
      json.array {
        for entity in entities {
          json.object {
            json.member("label", entity.label)
            json.member("score", entity.score, decimals: 6)
            json.member("start", entity.characters.lowerBound)
            json.member("end", entity.characters.upperBound)
            json.member("start_byte", entity.bytes.lowerBound)
            json.member("end_byte", entity.bytes.upperBound)
            if let token = entity.token { json.member("index", token) }
            json.key("text")
            json.separateValue()
            json.output.writeQuoted(
              text: UnsafeRawBufferPointer(rebasing: record.text[entity.bytes]))
          }
        }
      }
      json.member("tokens", tokens)
      json.member("truncated", isTruncated)
    }
    records.output.write("\n")
  }
}
