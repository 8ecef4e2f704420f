import Foundation
import TestSupport
import Testing
import VDSQConversion
import VDSQFormat

/// Chat formats against transformers' templates (Tools/reference/make_chats.py).
@Suite struct ChatTemplateTests {
  private struct Golden: Decodable {
    struct Template: Decodable {
      struct Chat: Decodable {
        struct Message: Decodable {
          let role: String
          let content: String
        }

        let messages: [Message]
        /// Nil if the template refuses the chat.
        let text: String?
      }

      let name: String
      let template: String
      let tokens: [String: String]
      let chats: [Chat]
    }

    struct Refused: Decodable {
      let name: String
      let template: String
      let reason: String
    }

    let templates: [Template]
    let refused: [Refused]

    static let all = try! JSONDecoder().decode(
      Golden.self, from: Fixtures.data("chat-templates.json"))
  }

  @Test(arguments: Golden.all.templates.map(\.name))
  func formatsGiveTheTemplatesTexts(_ name: String) throws {
    let golden = try #require(Golden.all.templates.first { $0.name == name })
    let format = try ChatTemplate(golden.template, tokens: golden.tokens).format()
    // What is stored is what was found.
    var metadata = Metadata()
    format.store(in: &metadata)
    let stored = try #require(ChatFormat(metadata))
    #expect(stored == format)
    var given = 0
    for chat in golden.chats {
      let messages = chat.messages.map {
        ChatFormat.Message(ChatFormat.Role(named: $0.role)!, Array($0.content.utf8))
      }
      guard let text = chat.text else {
        #expect(throws: VDSQError.self, "\(messages)") { try format.text(of: messages) }
        continue
      }
      do throws(VDSQError) {
        #expect(String(decoding: try format.text(of: messages), as: UTF8.self) == text)
        given += 1
      } catch {
        // Only reasoning of earlier answers and blank messages are refused although the template
        // reads them.
        let isSpecial = chat.messages.contains {
          $0.content.contains("</think>") || $0.content.isEmpty
        }
        #expect(isSpecial && ["qwen3", "llama2"].contains(name), "\(error)")
      }
    }
    #expect(given >= 2)
  }

  @Test(arguments: Golden.all.refused.map(\.name))
  func othersAreRefusedByName(_ name: String) throws {
    let golden = try #require(Golden.all.refused.first { $0.name == name })
    do throws(JinjaError) {
      _ = try ChatTemplate(golden.template, tokens: [:]).format()
      Issue.record("\(name) is not refused")
    } catch {
      #expect(error.reason.contains(golden.reason), "\(error.reason)")
    }
  }

  @Test func rolesAreRefused() throws {
    let golden = try #require(Golden.all.templates.first { $0.name == "gemma" })
    let format = try ChatTemplate(golden.template, tokens: golden.tokens).format()
    let messages = [
      ChatFormat.Message(.system, Array("s".utf8)), ChatFormat.Message(.user, Array("u".utf8)),
    ]
    #expect(throws: VDSQError.self) { try format.text(of: messages) }
    #expect(throws: VDSQError.self) { try format.text(of: []) }
    #expect(ChatFormat.Role(named: "tool") == nil && ChatFormat.Role(named: "answer") == nil)
  }
}
