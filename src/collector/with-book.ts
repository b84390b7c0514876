/** Opens a book for one act. */
export async function withBook<Book extends { start(): Promise<void>; stop(): Promise<void> }, Result>(
  book: Book,
  act: (book: Book) => Promise<Result>,
): Promise<Result> {
  await book.start();
  try {
    return await act(book);
  } finally {
    await book.stop();
  }
}
