/// What a frame is (SPEC.md, F-5). Open: a type that this version does not know is carried as its number.
package struct FrameType: Hashable, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    package static let settings = FrameType(rawValue: 1)
    package static let headers = FrameType(rawValue: 2)
    package static let message = FrameType(rawValue: 3)
    package static let trailers = FrameType(rawValue: 4)
    package static let reset = FrameType(rawValue: 5)
    package static let window = FrameType(rawValue: 6)
    package static let ping = FrameType(rawValue: 7)
    package static let goAway = FrameType(rawValue: 8)
}

extension FrameType: CustomStringConvertible {
    package var description: String {
        switch self {
        case .settings: "SETTINGS"
        case .headers: "HEADERS"
        case .message: "MESSAGE"
        case .trailers: "TRAILERS"
        case .reset: "RESET"
        case .window: "WINDOW"
        case .ping: "PING"
        case .goAway: "GOAWAY"
        default: "frame type \(rawValue)"
        }
    }
}
