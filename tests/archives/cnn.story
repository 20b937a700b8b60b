NORDVIK — The ferry to Skarholm will not sail between November and March, the harbour board said on Tuesday, because the old engine no longer starts in the cold.

“We have sold nine tickets a day since the bridge opened,” said the captain, Ines Falk, who has steered the boat for twenty-one years.

The island's forty families must now drive ninety kilometres to the nearest hospital.

@highlight

Ferry stops

@highlight

Island waits
