@testable internal import DTMRepository
internal import DTMSystem

/// The objects of a repository, whose bytes their ids depend on: each has one encoding only.
enum ObjectFuzzing {
  private static let id = ObjectID(words: (1, 2, 3, 4))

  static func leafPage(_ input: [UInt8]) {
    let found = try? PageReferences.of(input, id: id)
    guard let page = try? LeafPageDecoder.decode(input, id: id) else { return }
    var writer = LeafPageWriter()
    var copier = LeafPageWriter()
    do {
      let references = try page.slots.indices.flatMap { try page.references($0) }
      hold(
        found?.elementsEqual(references, by: ==) == true, "a leaf's references are not all found")
      for index in page.slots.indices {
        let entry = try page.entry(index)
        _ = Timestamp(entry.modified).rfc3339
        _ = Quoting.path(entry.key)
        _ = try writer.append(entry)
        _ = try copier.append(page, index)
        hold(page.hasSameValue(index, as: page, index), "an entry differs from itself")
        hold(page.keys.lowerBound(entry.key.bytes) == index, "a key is not found")
      }
    } catch {
      fatalError("an entry that was decoded cannot be read or written: \(error)")
    }
    hold(writer.encoding() == input, "a leaf page has two encodings")
    hold(copier.encoding() == input, "a copied leaf page differs")
  }

  static func innerPage(_ input: [UInt8]) {
    let found = try? PageReferences.of(input, id: id)
    guard let page = try? InnerPage(decoding: input, id: id) else { return }
    hold(found?.map(\.id) == page.children, "an inner page's references are not all found")
    var writer = InnerPageWriter(level: page.level)
    do {
      for index in page.children.indices { _ = try writer.append(page, index) }
    } catch {
      fatalError("a child that was decoded cannot be written: \(error)")
    }
    hold(writer.encoding() == input, "an inner page has two encodings")
  }

  static func contentList(_ input: [UInt8]) {
    guard let list = try? ContentList(decoding: input) else { return }
    hold(list.encoded == input, "a content list has two encodings")
  }

  static func snapshot(_ input: [UInt8]) {
    guard let snapshot = try? Snapshot(decoding: input, id: id) else { return }
    _ = snapshot.time.rfc3339
    let encoded = snapshot.encoded
    guard let again = try? Snapshot(decoding: encoded, id: id) else {
      fatalError("a snapshot that was encoded does not decode")
    }
    hold(again == snapshot, "a snapshot is another one after encoding")
    hold(again.encoded == encoded, "a snapshot has two encodings")
  }
}
