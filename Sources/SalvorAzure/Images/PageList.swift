/// The answer to `GET ?comp=pagelist`: `<PageRange><Start>0</Start><End>511</End></PageRange>`, ends included.
enum PageList {
    static func ranges(in xml: String) -> [Range<Int64>] {
        var ranges: [Range<Int64>] = []
        var rest = xml[...]
        while let start = number(after: "<Start>", in: &rest), let end = number(after: "<End>", in: &rest), end >= start
        {
            if let last = ranges.last, last.upperBound == start {
                ranges[ranges.count - 1] = last.lowerBound..<(end + 1)
            } else {
                ranges.append(start..<(end + 1))
            }
        }
        return ranges
    }

    private static func number(after tag: String, in text: inout Substring) -> Int64? {
        guard let found = text.firstRange(of: tag) else { return nil }
        text = text[found.upperBound...]
        return Int64(text.prefix { $0.isNumber })
    }
}
