/// One thing measured, and what was to be reached. In rescue.json what does not apply is null.
struct Figure: Encodable {
    var measure: String
    var unit: String
    var ours: Double
    var peer: Double?
    var peerName: String?
    /// The median of the rounds' ratios, not the ratio of the medians: a round's noise hits both sides.
    var ratio: Double?
    /// Of the ratio where there is a peer, else of ours: at most this.
    var goal: Double
    var met: Bool

    init(time measure: String, ours: [Double], peer: [Double], peerName: String, goal: Double) {
        let ratio = zip(ours, peer).map { $0 / $1 }.median
        self.measure = measure
        unit = "s"
        self.ours = ours.median
        self.peer = peer.median
        self.peerName = peerName
        self.ratio = ratio
        self.goal = goal
        met = ratio <= goal
    }

    init(size measure: String, megabytes: Double, goal: Double) {
        self.measure = measure
        unit = "MB"
        ours = megabytes
        self.goal = goal
        met = megabytes <= goal
    }

    private enum CodingKeys: CodingKey { case measure, unit, ours, peer, peerName, ratio, goal, met }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(measure, forKey: .measure)
        try container.encode(unit, forKey: .unit)
        try container.encode(ours, forKey: .ours)
        try container.encode(peer, forKey: .peer)
        try container.encode(peerName, forKey: .peerName)
        try container.encode(ratio, forKey: .ratio)
        try container.encode(goal, forKey: .goal)
        try container.encode(met, forKey: .met)
    }

    var sentence: String {
        if let ratio, let peerName {
            "\(measure) takes \(ratio.text(2)) × \(peerName), and at most \(goal.text(2)) × is the goal"
        } else {
            "\(measure) is \(ours.text(1)) \(unit), and at most \(goal.text(0)) \(unit) is the goal"
        }
    }

    var row: [String] {
        let isTime = ratio != nil
        return [
            measure, "\(ours.text(isTime ? 2 : 1)) \(unit)", peerName ?? "", peer.map { "\($0.text(2)) \(unit)" } ?? "",
            ratio.map { $0.text(2) } ?? "", "≤ \(goal.text(isTime ? 1 : 0))\(isTime ? " ×" : " \(unit)")",
            met ? "met" : "MISSED",
        ]
    }
}
