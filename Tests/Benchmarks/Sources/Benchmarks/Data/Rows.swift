/// Tables and logs as programs write them, row by row.
enum Rows {
  private static let cities: [StaticString] = [
    "lisbon", "oslo", "quito", "hanoi", "accra", "perth", "lima", "turin", "osaka", "boise",
  ]
  private static let events: [StaticString] = [
    "view", "click", "add_to_cart", "purchase", "refund", "login", "logout", "search",
  ]
  private static let levels: [StaticString] = [
    "INFO", "INFO", "INFO", "INFO", "DEBUG", "WARN", "ERROR",
  ]
  private static let messages: [StaticString] = [
    "request served", "cache miss", "connection reset by peer", "retrying upload",
    "partition assigned", "checkpoint written", "slow query", "token refreshed",
  ]
  private static let longestRowInBytes = 200

  private static func text(
    _ count: Int, firstRow: Int, header: StaticString = "",
    row: (Int, inout Text) -> Void
  ) -> [UInt8] {
    var text = Text(reserving: count + longestRowInBytes)
    if firstRow == 0 { text.add(header) }
    var number = firstRow
    while text.bytes.count < count {
      row(number, &text)
      number += 1
    }
    return text.prefix(count)
  }

  static func csv(_ count: Int, firstRow: Int, from random: inout Random) -> [UInt8] {
    let start = 1_700_000_000_000 + firstRow * 7
    let header: StaticString = "id,ts,city,sensor,value,total,flag\n"
    return text(count, firstRow: firstRow, header: header) { number, text in
      let draw = random.next()
      let x = Int(draw & 0xFFFF_FFFF)
      let y = Int(draw >> 32)
      text.add(number)
      text.add(",")
      text.add(start + (number - firstRow) * 37 + (x & 31))
      text.add(",")
      text.add(cities[x % 10])
      text.add(",sensor-")
      text.add(x >> 5 & 255, width: 3)
      text.add(",")
      text.add(20 + (x >> 13 & 15))
      text.add(".")
      text.add(x % 100, width: 2)
      text.add(",")
      text.add(y & 4095)
      text.add(".")
      text.add(y % 1000, width: 3)
      text.add(",")
      text.add(y >> 31)
      text.add("\n")
    }
  }

  static func jsonl(_ count: Int, firstRow: Int, from random: inout Random) -> [UInt8] {
    text(count, firstRow: firstRow) { number, text in
      let draw = random.next()
      let x = Int(draw & 0xFFFF_FFFF)
      let y = Int(draw >> 32)
      text.add("{\"id\":")
      text.add(number)
      text.add(",\"ts\":")
      text.add(1_700_000_000 + number)
      text.add(",\"user\":\"u")
      text.add(x % 200_000, width: 6)
      text.add("\",\"event\":\"")
      text.add(events[x >> 8 & 7])
      text.add("\",\"props\":{\"price\":")
      text.add(x >> 20)
      text.add(".")
      text.add(y % 100, width: 2)
      text.add(",\"qty\":")
      text.add(1 + (y >> 28))
      text.add(",\"city\":\"")
      text.add(cities[y % 10])
      text.add("\"},\"session\":\"")
      text.add(hexadecimal: UInt32(y))
      text.add("\"}\n")
    }
  }

  static func log(_ count: Int, firstRow: Int, from random: inout Random) -> [UInt8] {
    text(count, firstRow: firstRow) { number, text in
      let x = Int(random.next() & 0xFFFF_FFFF)
      text.add("2024-03-12 ")
      text.add(number / 36000 % 24, width: 2)
      text.add(":")
      text.add(number / 600 % 60, width: 2)
      text.add(":")
      text.add(number / 10 % 60, width: 2)
      text.add(",")
      text.add(x % 1000, width: 3)
      text.add(" ")
      text.add(levels[x % 7])
      text.add(" worker-")
      text.add(x >> 4 & 7)
      text.add(" app.module")
      text.add(x >> 8 & 31)
      text.add(" - ")
      text.add(messages[x >> 13 & 7])
      text.add(" id=")
      text.add(hexadecimal: UInt32(x))
      text.add(" took=")
      text.add(x >> 22)
      text.add("ms\n")
    }
  }
}
