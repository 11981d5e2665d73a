internal import SalvorDigest

/// A GUID of Microsoft's in canonical lower-case form; its first three fields lie there with their lowest byte first.
func canonicalGUID(_ bytes: ArraySlice<UInt8>) -> String {
    let fields = Array(bytes)
    var text = ""
    for (index, place) in [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15].enumerated() {
        if [4, 6, 8, 10].contains(index) { text += "-" }
        text += hexadecimal([fields[place]])
    }
    return text
}
