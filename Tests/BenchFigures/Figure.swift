/// One thing measured, and what was to be reached. In a bench's JSON what does not apply is null.
package struct Figure: Encodable, Sendable {
    /// What is to be reached by the ratio where there is a peer, and else by our own figure.
    package enum Goal: Sendable {
        case atMost(Double)
        case atLeast(Double)

        var value: Double {
            switch self {
            case .atMost(let value), .atLeast(let value): value
            }
        }

        var sign: String {
            switch self {
            case .atMost: "≤"
            case .atLeast: "≥"
            }
        }

        func isMet(by value: Double) -> Bool {
            switch self {
            case .atMost(let most): value <= most
            case .atLeast(let least): value >= least
            }
        }
    }

    let measure: String
    let unit: String
    let ours: Double
    let peer: Double?
    let peerName: String?
    /// The median of the rounds' ratios, not the ratio of the medians: a round's noise hits both sides.
    let ratio: Double?
    let goal: Goal
    /// Digits behind the point that mean something.
    private let digits: Int
    package let met: Bool

    /// Our times beside a peer's, of the same rounds.
    package init(time measure: String, ours: [Double], peer: [Double], peerName: String, goal: Double) {
        let ratio = zip(ours, peer).map { $0 / $1 }.median
        self.measure = measure
        unit = "s"
        self.ours = ours.median
        self.peer = peer.median
        self.peerName = peerName
        self.ratio = ratio
        self.goal = .atMost(goal)
        digits = 2
        met = self.goal.isMet(by: ratio)
    }

    /// Our rates beside a peer's, of the same rounds.
    package init(
        rate measure: String, ours: [Double], peer: [Double], unit: String, peerName: String, goal: Double,
        digits: Int = 0
    ) {
        let ratio = zip(ours, peer).map { $0 / $1 }.median
        self.measure = measure
        self.unit = unit
        self.ours = ours.median
        self.peer = peer.median
        self.peerName = peerName
        self.ratio = ratio
        self.goal = .atLeast(goal)
        self.digits = digits
        met = self.goal.isMet(by: ratio)
    }

    /// A figure that has no peer.
    package init(_ measure: String, _ ours: Double, unit: String, goal: Goal, digits: Int = 1) {
        self.measure = measure
        self.unit = unit
        self.ours = ours
        self.goal = goal
        self.digits = digits
        peer = nil
        peerName = nil
        ratio = nil
        met = goal.isMet(by: ours)
    }

    private enum CodingKeys: CodingKey { case measure, unit, ours, peer, peerName, ratio, goal, met }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(measure, forKey: .measure)
        try container.encode(unit, forKey: .unit)
        try container.encode(ours, forKey: .ours)
        try container.encode(peer, forKey: .peer)
        try container.encode(peerName, forKey: .peerName)
        try container.encode(ratio, forKey: .ratio)
        try container.encode(goal.value, forKey: .goal)
        try container.encode(met, forKey: .met)
    }

    package var sentence: String {
        if let ratio, let peerName {
            "\(measure): \(ratio.text(2)) × \(peerName), and the goal is \(goal.sign) \(goal.value.text(2)) ×"
        } else {
            "\(measure) is \(ours.text(digits)) \(unit), and the goal is \(goal.sign) \(goal.value.text(0)) \(unit)"
        }
    }

    var row: [String] {
        let isTime = ratio != nil
        return [
            measure, "\(ours.text(digits)) \(unit)", peerName ?? "", peer.map { "\($0.text(digits)) \(unit)" } ?? "",
            ratio.map { $0.text(2) } ?? "",
            "\(goal.sign) \(goal.value.text(isTime ? 2 : 0))\(isTime ? " ×" : " \(unit)")", met ? "met" : "MISSED",
        ]
    }
}
