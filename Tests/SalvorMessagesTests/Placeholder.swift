enum SalvorMessagesTestsPlaceholder {}
