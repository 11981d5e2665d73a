enum SalvorMessagesPlaceholder {}
