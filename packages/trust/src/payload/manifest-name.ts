/** What the file of a manifest is called: where it is judged and where it is laid down, since its name says how it is read. */

/** Where OCI artifacts have the name of a file. */
const TITLE = 'org.opencontainers.image.title';

/** Names that a file of a manifest or firmware component may be laid down under. */
const FILE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** The name of the one file of a component: as its layer is annotated, else that of the component. */
export function manifestFileName(component: string, annotations: Readonly<Record<string, string>> | undefined): string {
  const title = annotations?.[TITLE] ?? component;
  return FILE_NAME.test(title) ? title : component;
}
